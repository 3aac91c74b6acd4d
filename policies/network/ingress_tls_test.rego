package policies.network.ingress_tls_test

import data.plangate.lib.builders_test as builders
import data.policies.network.ingress_tls as rule

ingress(tls, fields) := builders.plan([object.union(
	{"address": "web", "kind": "kubernetes.ingress", "facts": {"tls": tls}},
	fields,
)])

annotated(name, value) := {"after": {"metadata": {"annotations": {name: value}}}}

finding(message, path) := {"address": "web", "message": message, "path": path}

denial := finding("a name of it has no certificate", "/spec/tls")

doubt := finding("whether its names have certificates is not known", "/spec/tls")

doubt_of_annotations := finding("its annotations, which may name a certificate, are not known", "/metadata")

passed(plan) if {
	rule.deny == set() with input as plan
	rule.undetermined == set() with input as plan
}

denied(plan) if {
	rule.deny == {denial} with input as plan
	rule.undetermined == set() with input as plan
}

doubted(plan, finding) if {
	rule.deny == set() with input as plan
	rule.undetermined == {finding} with input as plan
}

test_fail_without_a_certificate if denied(ingress(false, {}))

test_fail_with_other_annotations if {
	denied(ingress(false, annotated("kubernetes.io/ingress.class", "nginx")))
	denied(ingress(false, {"after": {"metadata": [{"annotations": {"kubernetes.io/ingress.class": "nginx"}}]}}))
	denied(ingress(false, {"after": {"metadata": {"annotations": null}}}))
}

test_fail_with_an_empty_annotation if {
	denied(ingress(false, annotated("alb.ingress.kubernetes.io/certificate-arn", "")))
	denied(ingress(false, {"after": {"metadata": [{"annotations": {"networking.gke.io/certmap": ""}}]}}))
}

test_pass_with_a_certificate if passed(ingress(true, {}))

test_pass_with_a_certificate_of_the_cloud if {
	names := {
		"alb.ingress.kubernetes.io/certificate-arn",
		"ingress.gcp.kubernetes.io/pre-shared-cert",
		"networking.gke.io/certmap",
		"networking.gke.io/managed-certificates",
	}
	every name in names {
		passed(ingress(false, annotated(name, "one")))
		passed(ingress("unknown", {"after": {"metadata": [{"annotations": {name: "one"}}]}}))
	}
}

test_unknown if doubted(ingress("unknown", {}), doubt)

test_absent_fact_is_not_known if doubted(ingress(false, {"facts": {"tls": null}}), doubt)

test_unknown_annotations if {
	doubted(ingress(false, {"unknown": ["/metadata/annotations"]}), doubt_of_annotations)
	doubted(ingress(false, {"unknown": ["/metadata/0/annotations"]}), doubt_of_annotations)
}

test_fail_whatever_else_of_it_is_unknown if denied(ingress(false, {"unknown": ["/metadata/0/uid"]}))

test_pass_with_a_certificate_of_the_cloud_whatever_else_is_annotated if {
	certified := annotated("networking.gke.io/certmap", "one")
	passed(ingress(false, object.union(certified, {"unknown": ["/metadata/annotations/other"]})))
}

test_pass_with_a_certificate_whatever_its_annotations_are if {
	passed(ingress(true, {"unknown": ["/metadata/annotations"]}))
	doubted(ingress("unknown", {"unknown": ["/metadata/annotations"]}), doubt)
}

test_pass_deleted if passed(ingress(false, {"action": "delete", "after": null}))
