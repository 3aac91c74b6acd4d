"""Certificates of callers in records, connections in great number, and what a server refuses to start with."""

import contextlib
import ipaddress
import resource
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.server import DEPLOYMENT, Server, serving, settings

NOW = datetime.now(UTC)


class Authority:
    """Signs certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._builder(self.name, self.key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = certificate.sign(self.key, hashes.SHA256())
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(hours=1))
            .not_valid_after(NOW + timedelta(hours=1))
        )

    def issue(self, name: str, alternative: x509.GeneralName) -> tuple[str, str]:
        """A certificate and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signed = (
            self._builder(subject, key)
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        certificate, secret = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        secret.chmod(0o600)
        return str(certificate), str(secret)


def test_a_certificate_is_who_the_caller_is_and_stands_in_the_record(tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    ours.issue("server", x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    known = ours.issue("argo", x509.UniformResourceIdentifier("spiffe://prod/argo"))
    unknown = ours.issue("somebody", x509.DNSName("somebody.example.com"))
    foreign = theirs.issue("foreign", x509.UniformResourceIdentifier("spiffe://prod/argo"))
    text = """server:
  tls: {certificate: server.crt, key: server.key, client_ca: ours.pem}
  callers: {argo: {may: [ask], certificate: "uri:spiffe://prod/argo"}}
"""
    with serving(tmp_path, text) as server:
        assert server.url.startswith("https://127.0.0.1:")

        def ask(certificate: tuple[str, str] | None) -> httpx.Response:
            context = ssl.create_default_context(cafile=str(ours.path))
            if certificate is not None:
                context.load_cert_chain(*certificate)
            with httpx.Client(base_url=server.url, verify=context, timeout=30) as client:
                return client.post("/v1/decisions", content=DEPLOYMENT)

        allowed = ask(known)
        assert (allowed.status_code, allowed.json()["allowed"]) == (200, True)
        assert ask(None).status_code == 401
        assert ask(unknown).status_code == 401
        with pytest.raises(httpx.HTTPError):
            ask(foreign)
        (record,) = [each for each in server.records() if each["type"] == "decision"]
        assert record["actor"] == {"kind": "service", "name": "argo (uri:spiffe://prod/argo)"}


@pytest.mark.parametrize(
    ("text", "listen", "message"),
    [
        ("server: {}\n", "127.0.0.1:0", "nobody may ask anything"),
        ("server: {unsafe_anonymous: [ask]}\n", "0.0.0.0:0", "can be reached from elsewhere"),
        ("server: {unsafe_anonymous: [ask]}\n", "localhost", "expected an IP address and a port"),
        ("server: {unsafe_anonymous: [ask]}\n", "127.0.0.1:http", "expected HOST:PORT"),
        ("server: {callers: {a: {may: [ask]}}}\n", "127.0.0.1:0", "expected tokens"),
        ("server: {callers: {a: {may: [eat], tokens: t}}}\n", "127.0.0.1:0", "server.callers.a.may"),
        ("server: {callers: {a: {may: [ask], tokens: none.txt}}}\n", "127.0.0.1:0", "cannot be read"),
        ("server: {callers: {a: {may: [ask], tokens: bad.txt}}}\n", "127.0.0.1:0", "expected sha256:DIGEST"),
        ("server: {callers: {a: {may: [ask], certificate: 'cn:x'}}}\n", "127.0.0.1:0", "client_ca"),
        ("server: {tls: {certificate: no.crt, key: no.key}, unsafe_anonymous: [ask]}\n", "127.0.0.1:0", "no such file"),
        ("server: {contracts: {nothing: {}}, unsafe_anonymous: [ask]}\n", "127.0.0.1:0", "no contract 'nothing'"),
        ("policies: [none]\nserver: {unsafe_anonymous: [ask]}\n", "127.0.0.1:0", "none"),
        ("server: {unsafe_anonymous: [ask], queries: {policies: [none]}}\n", "127.0.0.1:0", "none"),
        ("server: {unsafe_anonymous: [ask], limits: {max_requests: 0}}\n", "127.0.0.1:0", "server.limits.max_requests"),
        ("server: {rule_sets: {x: {mode: maybe}}, unsafe_anonymous: [ask]}\n", "127.0.0.1:0", "server.rule_sets.x.mode"),
    ],
)  # fmt: skip
def test_it_does_not_start_with_what_makes_no_sense(
    tmp_path: Path, text: str, listen: str, message: str
) -> None:
    settings(tmp_path, text)
    (tmp_path / "bad.txt").write_text("a-secret-in-clear\n")
    done = subprocess.run(
        [sys.executable, "-m", "plangate.cli.main", "serve", "--listen", listen, "--workers", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {2, 3}
    assert message in done.stderr
    assert "a-secret-in-clear" not in done.stderr


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    _, key = authority.issue("server", x509.DNSName("localhost"))
    Path(key).chmod(0o644)
    settings(tmp_path, "server: {tls: {certificate: server.crt, key: server.key}, unsafe_anonymous: [ask]}\n")
    done = subprocess.run(
        [sys.executable, "-m", "plangate.cli.main", "serve", "--listen", "127.0.0.1:0"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "others can read this key" in done.stderr


def test_thousands_of_idle_connections_hold_up_nobody(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(10_000, (hard if hard > 0 else 20_000) - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 500) if hard > 0 else wanted + 500, hard))
    try:
        text = "server: {unsafe_anonymous: [ask], limits: {header_timeout_s: 120}}\n"
        with serving(tmp_path, text) as server, contextlib.ExitStack() as stack:
            connect(stack, server, wanted)
            with server.client() as client:
                assert client.post("/v1/decisions", content=DEPLOYMENT).json()["allowed"] is True
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(stack: contextlib.ExitStack, server: Server, number: int) -> None:
    """Open this many connections, and say nothing."""
    url = urlsplit(server.url)
    for _ in range(number):
        stack.enter_context(socket.create_connection((url.hostname or "", url.port or 0), timeout=30))


def test_connections_beyond_the_limit_are_turned_away(tmp_path: Path) -> None:
    with (
        serving(tmp_path, "server: {unsafe_anonymous: [ask], limits: {max_connections: 5}}\n") as server,
        contextlib.ExitStack() as stack,
    ):
        connect(stack, server, 5)
        url = urlsplit(server.url)
        with socket.create_connection((url.hostname or "", url.port or 0), timeout=10) as one_more:
            assert b" 503 " in one_more.recv(1_000)


def test_requests_beyond_a_callers_share_are_told_to_come_again(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"
    )
    text = "server: {callers: {a: {may: [ask], tokens: t.txt, max_requests: 1}}}\n"
    with serving(tmp_path, text) as server:
        url = urlsplit(server.url)
        head = b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer test\r\ncontent-length: 9\r\n\r\n"
        with socket.create_connection((url.hostname or "", url.port or 0), timeout=10) as slow:
            slow.sendall(head + b"{")
            with server.client(headers={"authorization": "Bearer test"}) as client:
                for _ in range(50):
                    busy = client.post("/v1/decisions", content=DEPLOYMENT)
                    if busy.status_code == 429:
                        break
            assert (busy.status_code, busy.headers["retry-after"]) == (429, "1")
