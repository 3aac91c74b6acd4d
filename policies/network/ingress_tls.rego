# METADATA
# title: Ingresses have a certificate for every name
# description: >-
#   A name without a certificate is served over plain HTTP, or with a certificate that nobody can trust. Sessions and
#   data can be read and changed on the way.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
#   - ref: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#ssl
#   - ref: https://cloud.google.com/kubernetes-engine/docs/how-to/managed-certs
#   - ref: https://github.com/Azure/azure-policy/tree/master/built-in-policies/policySetDefinitions/Regulatory%20Compliance
#     description: What maps "Kubernetes clusters should be accessible only over HTTPS" to the frameworks.
# custom:
#   id: ingress-tls
#   severity: high
#   enforcement: overridable
#   kinds: [kubernetes.ingress]
#   remediation: List every host under spec.tls, with a secret that holds its certificate.
#   frameworks:
#     nist-800-53-r5: [SC-8, SC-8(1)]
#     soc-2: [CC6.1, CC6.6, CC6.7]
package policies.network.ingress_tls

import data.plangate.lib

# Annotations that give the cloud's load balancer a certificate instead.
certificates := {
	"alb.ingress.kubernetes.io/certificate-arn",
	"ingress.gcp.kubernetes.io/pre-shared-cert",
	"networking.gke.io/certmap",
	"networking.gke.io/managed-certificates",
}

deny contains lib.finding_at(ingress, "a name of it has no certificate", "/spec/tls") if {
	some ingress in lib.of_kind("kubernetes.ingress")
	ingress.facts.tls == false
	not has_certificate(ingress)
	not is_open(ingress)
}

undetermined contains lib.finding_at(ingress, "whether its names have certificates is not known", "/spec/tls") if {
	some ingress in lib.of_kind("kubernetes.ingress")
	not ingress.facts.tls == true
	not ingress.facts.tls == false
	not has_certificate(ingress)
}

undetermined contains lib.finding_at(ingress, "its annotations, which may name a certificate, are not known", "/metadata") if {
	some ingress in lib.of_kind("kubernetes.ingress")
	ingress.facts.tls == false
	not has_certificate(ingress)
	is_open(ingress)
}

has_certificate(ingress) if {
	some key in certificates
	ingress.after.metadata.annotations[key] != ""
}

# Terraform's provider has metadata as a list of one.
has_certificate(ingress) if {
	some metadata in lib.items(ingress.after.metadata)
	some key in certificates
	metadata.annotations[key] != ""
}

is_open(ingress) if lib.is_unknown(ingress, "/metadata/annotations")

is_open(ingress) if lib.is_unknown(ingress, "/metadata/0/annotations")
