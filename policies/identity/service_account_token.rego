# METADATA
# title: Programs in Kubernetes get credentials of the cluster only where they need them
# description: >-
#   A token in a container is what an intruder looks for first: with it the API answers. Most programs never ask the API
#   anything, and get one all the same.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting
#   - ref: https://github.com/aquasecurity/kube-bench/blob/main/cfg/cis-1.8/policies.yaml
#     description: Maps it to the sections of the benchmark.
#   - ref: https://github.com/Azure/azure-policy/tree/master/built-in-policies/policySetDefinitions/Regulatory%20Compliance
#     description: What maps "Kubernetes clusters should disable automounting API credentials" to SOC 2.
# custom:
#   id: service-account-token
#   severity: low
#   enforcement: advisory
#   kinds: [kubernetes.workload]
#   remediation: >-
#     Set automountServiceAccountToken to false, in the pod or in its service account. Waive programs that use the API.
#   frameworks:
#     cis-kubernetes-1.8: ["5.1.6"]
#     soc-2: [CC6.8, CC8.1]
package policies.identity.service_account_token

import data.plangate.lib

deny contains lib.finding(workload, "it asks for the token of its service account") if {
	some workload in lib.of_kind("kubernetes.workload")
	workload.facts.token_mounted == true
}

# The pod is silent, and its account gives the token to every such pod.
deny contains lib.finding(workload, message) if {
	some workload in lib.of_kind("kubernetes.workload")
	is_silent(workload)
	some account in accounts_of(workload)
	account.facts.token_mounted == true
	message := sprintf("it gets the token of %v", [account.address])
}

undetermined contains lib.finding(workload, message) if {
	some workload in lib.of_kind("kubernetes.workload")
	is_silent(workload)
	not is_answered(workload)
	message := "neither it nor a service account of the plan says whether it gets a token"
}

is_silent(workload) if {
	not workload.facts.token_mounted == true
	not workload.facts.token_mounted == false
}

is_answered(workload) if {
	some account in accounts_of(workload)
	account.facts.token_mounted in {true, false}
}

accounts_of(workload) := {account |
	workload.facts.namespace != "unknown"
	workload.facts.service_account != "unknown"
	some account in by_name[workload.facts.service_account]
	account.facts.namespace == workload.facts.namespace
}

by_name[name] contains account if {
	some account in lib.of_kind("kubernetes.service_account")
	some name in names(account)
}

# Terraform's provider has metadata as a list of one.
names(account) := {name | name := account.after.metadata.name} | {metadata.name |
	some metadata in lib.items(account.after.metadata)
}
