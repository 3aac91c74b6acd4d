# METADATA
# title: Images come from registries that are allowed
# description: >-
#   Whoever holds a registry decides what runs. Nothing is allowed or refused before the setting `allowed` names
#   registries: with an empty list everything passes.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/#image-names
#   - ref: https://pkg.go.dev/github.com/distribution/reference
#   - ref: https://github.com/aquasecurity/kube-bench/blob/main/cfg/cis-1.8/policies.yaml
#     description: Maps it to the sections of the benchmark.
#   - ref: https://github.com/Azure/azure-policy/tree/master/built-in-policies/policySetDefinitions/Regulatory%20Compliance
#     description: What maps "Kubernetes cluster containers should only use allowed images" to NIST 800-53 and SOC 2.
# custom:
#   id: image-registries
#   severity: high
#   enforcement: overridable
#   kinds: [container.workload, kubernetes.workload]
#   remediation: Copy the image into a registry that is allowed, and name it there.
#   settings:
#     allowed:
#       description: >-
#         Registries, or paths in one, that images may come from: "registry.example.com", "ghcr.io/acme". An image
#         without a registry comes from docker.io, and one without a path as well from docker.io/library.
#       type: array
#       items: {type: string, minLength: 1}
#       uniqueItems: true
#       default: []
#   frameworks:
#     cis-kubernetes-1.8: ["5.5.1"]
#     nist-800-53-r5: [CM-6]
#     soc-2: [CC6.8, CC8.1]
package policies.container.image_registries

import data.plangate.lib

allowed := data.plangate.settings.image_registries.allowed

deny contains lib.finding_at(workload, message, path) if {
	count(allowed) > 0
	some workload in workloads
	some used in lib.items(workload.facts.containers)
	image := used.image
	image != "unknown"
	not is_allowed(image)
	path := used.path
	message := sprintf("container %v runs an image of %v", [used.name, repository(image)])
}

undetermined contains lib.finding_at(workload, message, path) if {
	count(allowed) > 0
	some workload in workloads
	some used in lib.items(workload.facts.containers)
	used.image == "unknown"
	path := used.path
	message := sprintf("which image container %v runs is known only after apply", [used.name])
}

undetermined contains lib.finding(workload, "which containers it runs is known only after apply") if {
	count(allowed) > 0
	some workload in workloads
	not is_array(object.get(workload.facts, "containers", null))
}

workloads contains workload if {
	some kind in ["container.workload", "kubernetes.workload"]
	some workload in lib.of_kind(kind)
}

is_allowed(image) if {
	some entry in allowed
	repository(image) == trim_suffix(entry, "/")
}

# Whole parts of the path: ghcr.io/acme is not ghcr.io/acme-two.
is_allowed(image) if {
	some entry in allowed
	startswith(repository(image), concat("", [trim_suffix(entry, "/"), "/"]))
}

# The image with its registry and without tag and digest.
repository(image) := concat("/", array.concat(registry(parts), parts)) if {
	parts := split(without_tag(split(trim_space(image), "@")[0]), "/")
}

# A colon before the last slash belongs to the registry's port.
without_tag(name) := concat("/", array.concat(above, [split(last, ":")[0]])) if {
	parts := split(name, "/")
	above := array.slice(parts, 0, count(parts) - 1)
	last := parts[count(parts) - 1]
}

registry(parts) := ["docker.io", "library"] if count(parts) == 1

registry(parts) := [] if names_registry(parts)

registry(parts) := ["docker.io"] if {
	count(parts) > 1
	not names_registry(parts)
}

names_registry(parts) if {
	count(parts) > 1
	contains(parts[0], ".")
}

names_registry(parts) if contains(parts[0], ":")

names_registry(parts) if {
	count(parts) > 1
	parts[0] == "localhost"
}
