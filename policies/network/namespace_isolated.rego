# METADATA
# title: A network policy stands in front of all pods of a namespace
# description: >-
#   Without a policy that selects a pod, everything in the cluster can talk to it: one program that is broken into
#   reaches all others. A namespace is judged where its programs are in the same plan. The policy may still be in
#   another input, so this is advice.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies
#   - ref: https://github.com/aquasecurity/kube-bench/blob/main/cfg/cis-1.8/policies.yaml
#     description: Maps it to the sections of the benchmark.
# custom:
#   id: namespace-isolated
#   severity: medium
#   enforcement: advisory
#   kinds: [kubernetes.namespace]
#   remediation: Add a NetworkPolicy with an empty podSelector to the namespace, and one for each way that is needed.
#   frameworks:
#     cis-kubernetes-1.8: ["5.3.2"]
package policies.network.namespace_isolated

import data.plangate.lib

deny contains lib.finding(namespace, "no network policy of the plan selects all pods in it") if {
	some namespace in lib.of_kind("kubernetes.namespace")
	some name in names(namespace)
	name in inhabited
	not name in isolated
	count(doubtful) == 0
}

undetermined contains lib.finding(namespace, message) if {
	some namespace in lib.of_kind("kubernetes.namespace")
	not is_settled(namespace)
	some address in doubtful
	message := sprintf("where %v is, or which pods it selects, is not known", [address])
}

undetermined contains lib.finding(namespace, "which programs run in it is not known") if {
	some namespace in lib.of_kind("kubernetes.namespace")
	not is_settled(namespace)
	"unknown" in inhabited
}

undetermined contains lib.finding(namespace, "its name is known only after apply") if {
	some namespace in lib.of_kind("kubernetes.namespace")
	count(names(namespace)) == 0
	count(inhabited) > 0
}

# A policy selects all its pods, or nothing of the plan runs in it.
is_settled(namespace) if {
	some name in names(namespace)
	name in isolated
}

is_settled(namespace) if {
	some name in names(namespace)
	not name in inhabited
	not "unknown" in inhabited
}

# Terraform's provider has metadata as a list of one. A name that is not known is none.
names(namespace) := {name | name := namespace.after.metadata.name} | {metadata.name |
	some metadata in lib.items(namespace.after.metadata)
}

inhabited contains name if {
	some workload in lib.of_kind("kubernetes.workload")
	name := workload.facts.namespace
}

isolated contains name if {
	some policy in lib.of_kind("kubernetes.network_policy")
	policy.facts.selects_all == true
	name := policy.facts.namespace
}

doubtful contains policy.address if {
	some policy in lib.of_kind("kubernetes.network_policy")
	"unknown" in {policy.facts.selects_all, policy.facts.namespace}
}
