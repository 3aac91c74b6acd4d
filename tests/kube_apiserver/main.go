// A Kubernetes API server with the etcd that it keeps its objects in, as one process for tests.
//
//	kube-apiserver FOLDER [FLAGS of kube-apiserver]
//
// etcd listens on a loopback port of its own choosing, and so does the API server, with a certificate that it makes in
// FOLDER. When both listen, FOLDER/address holds the API server's HOST:PORT. Everything else (keys, tokens) is what the
// flags say. There are no controllers, no scheduler and no kubelet: nothing but the API.
package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: kube-apiserver FOLDER [FLAGS]")
		os.Exit(2)
	}
	if err := serve(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(folder string, flags []string) error {
	etcd, endpoint, err := startEtcd(filepath.Join(folder, "etcd"))
	if err != nil {
		return err
	}
	defer etcd.Close()

	s := options.NewServerRunOptions()
	set := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, each := range s.Flags().FlagSets {
		set.AddFlagSet(each)
	}
	// A listener of our own: a port that was looked up and let go may be somebody else's by the time it is used.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := set.Parse(flags); err != nil {
		return err
	}
	s.SecureServing.Listener = listener
	s.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	s.SecureServing.ExternalAddress = net.ParseIP("127.0.0.1")
	s.SecureServing.ServerCert.CertDirectory = folder
	s.Etcd.StorageConfig.Transport.ServerList = []string{endpoint}
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	ctx := genericapiserver.SetupSignalContext()
	completed, err := s.Complete(ctx)
	if err != nil {
		return err
	}
	if problems := completed.Validate(); len(problems) != 0 {
		return utilerrors.NewAggregate(problems)
	}
	if err := publish(folder, listener.Addr().String()); err != nil {
		return err
	}
	return app.Run(ctx, completed)
}

func startEtcd(folder string) (*embed.Etcd, string, error) {
	any := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config := embed.NewConfig()
	config.Dir = folder
	config.LogLevel = "error"
	config.UnsafeNoFsync = true // what a test writes need not outlive the machine
	config.ListenClientUrls = []url.URL{any}
	config.AdvertiseClientUrls = []url.URL{any}
	config.ListenPeerUrls = []url.URL{any}
	config.AdvertisePeerUrls = []url.URL{any}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", err
	}
	select {
	case <-etcd.Server.ReadyNotify():
	case <-time.After(time.Minute):
		etcd.Close()
		return nil, "", fmt.Errorf("etcd is not ready after a minute")
	}
	return etcd, "http://" + etcd.Clients[0].Addr().String(), nil
}

// publish writes the address in one step, so that whoever waits for it never reads half of it.
func publish(folder, address string) error {
	part := filepath.Join(folder, "address.part")
	if err := os.WriteFile(part, []byte(address), 0o600); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(folder, "address"))
}
