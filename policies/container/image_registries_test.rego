package policies.container.image_registries_test

import data.plangate.lib.builders_test as builders
import data.policies.container.image_registries as rule

allowing(registries) := {"allowed": registries}

workload(kind, containers) := builders.plan([{"address": "pod", "kind": kind, "facts": {"containers": containers}}])

pod(image) := workload("kubernetes.workload", [{"name": "app", "image": image, "path": "/spec/containers/0"}])

finding(repository) := {
	"address": "pod",
	"message": sprintf("container app runs an image of %v", [repository]),
	"path": "/spec/containers/0",
}

denied(image, registries, repository) if {
	rule.deny == {finding(repository)} with input as pod(image)
		with data.plangate.settings.image_registries as allowing(registries)
	rule.undetermined == set() with input as pod(image)
		with data.plangate.settings.image_registries as allowing(registries)
}

passed(image, registries) if {
	rule.deny == set() with input as pod(image)
		with data.plangate.settings.image_registries as allowing(registries)
	rule.undetermined == set() with input as pod(image)
		with data.plangate.settings.image_registries as allowing(registries)
}

test_fail_another_registry if {
	denied("quay.io/acme/app:1", ["ghcr.io", "docker.io"], "quay.io/acme/app")
}

test_fail_docker_hub_where_none_is_named if {
	denied("nginx", ["ghcr.io"], "docker.io/library/nginx")
	denied("acme/app@sha256:00", ["ghcr.io"], "docker.io/acme/app")
}

test_fail_what_only_begins_alike if {
	denied("ghcr.io/acme-two/app", ["ghcr.io/acme"], "ghcr.io/acme-two/app")
	denied("ghcr.io.example.com/acme/app", ["ghcr.io"], "ghcr.io.example.com/acme/app")
	denied("ghcr.io:5000/acme/app:1", ["ghcr.io"], "ghcr.io:5000/acme/app")
	denied("ghcr/acme/app", ["ghcr"], "docker.io/ghcr/acme/app")
}

test_fail_a_shorter_path if denied("ghcr.io/acme", ["ghcr.io/acme/app"], "ghcr.io/acme")

test_pass_from_a_registry if {
	passed("ghcr.io/acme/app:1", ["quay.io", "ghcr.io"])
	passed("localhost/app", ["localhost"])
	passed("localhost:5000/app:1@sha256:00", ["localhost:5000"])
	passed("registry:5000/app", ["registry:5000"])
	passed(" ghcr.io/acme/app ", ["ghcr.io/"])
}

test_pass_from_a_path if {
	passed("ghcr.io/acme/app:1", ["ghcr.io/acme"])
	passed("ghcr.io/acme/app:1", ["ghcr.io/acme/app"])
	passed("ghcr.io/acme/app:1", ["ghcr.io/acme/app/"])
}

test_pass_from_docker_hub if {
	passed("nginx:1.27", ["docker.io"])
	passed("localhost:5000", ["docker.io/library/localhost"])
	passed("my.app:1", ["docker.io/library/my.app"])
	passed("acme/app", ["docker.io/acme"])
	passed("docker.io/acme/app", ["docker.io/acme"])
}

test_pass_where_nothing_is_said if {
	passed("nginx", [])
	passed("unknown", [])
	plan := workload("kubernetes.workload", "unknown")
	rule.undetermined == set() with input as plan with data.plangate.settings.image_registries as allowing([])
}

test_fail_any_workload if {
	plan := workload("container.workload", [{"name": "app", "image": "nginx", "path": "/spec/containers/0"}])
	rule.deny == {finding("docker.io/library/nginx")} with input as plan
		with data.plangate.settings.image_registries as allowing(["ghcr.io"])
}

test_pass_absent_containers if {
	plan := workload("kubernetes.workload", [])
	rule.deny == set() with input as plan with data.plangate.settings.image_registries as allowing(["ghcr.io"])
	rule.undetermined == set() with input as plan with data.plangate.settings.image_registries as allowing(["ghcr.io"])
}

test_unknown_image if {
	rule.deny == set() with input as pod("unknown")
		with data.plangate.settings.image_registries as allowing(["ghcr.io"])
	undetermined := rule.undetermined with input as pod("unknown")
		with data.plangate.settings.image_registries as allowing(["ghcr.io"])
	undetermined == {{
		"address": "pod",
		"message": "which image container app runs is known only after apply",
		"path": "/spec/containers/0",
	}}
}

test_unknown_containers if {
	plan := workload("kubernetes.workload", "unknown")
	undetermined := rule.undetermined with input as plan
		with data.plangate.settings.image_registries as allowing(["ghcr.io"])
	undetermined == {{"address": "pod", "message": "which containers it runs is known only after apply"}}
}

test_unknown_where_the_fact_is_absent if {
	plan := builders.plan([{"address": "pod", "kind": "kubernetes.workload"}])
	undetermined := rule.undetermined with input as plan
		with data.plangate.settings.image_registries as allowing(["ghcr.io"])
	undetermined == {{"address": "pod", "message": "which containers it runs is known only after apply"}}
}
