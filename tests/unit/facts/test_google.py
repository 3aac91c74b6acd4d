"""What fixtures do not show of Google: types without a rule of their own, older names, and doubts."""

import json
from typing import Any

import pytest

from plangate.facts.registry import ADAPTERS
from plangate.model.plan import Action, Resource
from plangate.model.values import UNKNOWN, AllUnknown
from tests.builders import a_reference, a_resource, facts_of


def google(address: str, values: dict[str, Any] | None = None, **changes: Any) -> Resource:
    fields = {
        "provider": "registry.terraform.io/hashicorp/google",
        "cloud": "google",
        "region": "europe-west1",
    }
    return a_resource(address, values, **(fields | changes))


def fact(address: str, values: dict[str, Any], name: str, *others: Resource, **changes: Any) -> Any:
    return facts_of(google(address, values, **changes), *others)[name]


def interfaces(access: Any, sixth: Any = None) -> list[dict[str, Any]]:
    return [{"network": "default"}, {"access_config": access, "ipv6_access_config": sixth}]


@pytest.mark.parametrize(
    ("blocks", "public"),
    [
        (interfaces([{}]), True),
        (interfaces({}), True),
        (interfaces([], [{}]), True),
        (interfaces([]), False),
        (interfaces(None), False),
        (interfaces(UNKNOWN), UNKNOWN),
        (interfaces("none"), UNKNOWN),
        ([UNKNOWN], UNKNOWN),
        (UNKNOWN, UNKNOWN),
        ({"access_config": {"nat_ip": UNKNOWN}}, True),
    ],
)
def test_a_machine_is_public_when_an_interface_has_an_access_configuration(
    blocks: Any, public: object
) -> None:
    for native_type in ("google_compute_instance", "google_compute_instance_template"):
        assert fact(f"{native_type}.m", {"network_interface": blocks}, "public_ip") is public


def a_template(access: Any) -> Resource:
    return google("google_compute_instance_template.t", {"id": "t1", "network_interface": interfaces(access)})


def test_a_group_is_as_public_as_its_templates() -> None:
    values = {"version": [{"instance_template": "t1"}]}
    address = "google_compute_instance_group_manager.g"
    for access, public in (([{}], True), ([], False), (UNKNOWN, UNKNOWN)):
        assert fact(address, values, "public_ip", a_template(access)) is public
        assert fact(address, {"instance_template": "t1"}, "public_ip", a_template(access)) is public
    assert fact(address, values, "public_ip") is UNKNOWN
    two = {"version": [{"instance_template": "t1"}, {"instance_template": "elsewhere"}]}
    assert fact(address, two, "public_ip", a_template([])) is UNKNOWN
    assert fact(address, two, "public_ip", a_template([{}])) is True
    assert fact(address, {}, "public_ip") is UNKNOWN
    assert fact(address, {"version": UNKNOWN}, "public_ip") is UNKNOWN


def test_a_machine_from_a_template_has_its_own_interfaces_or_those_of_the_template() -> None:
    address, values = "google_compute_instance_from_template.m", {"source_instance_template": "t1"}
    assert fact(address, values, "public_ip", a_template([{}])) is True
    assert fact(address, values, "public_ip", a_template([])) is False
    assert (
        fact(address, {**values, "network_interface": interfaces([])}, "public_ip", a_template([{}])) is False
    )
    assert fact(address, {**values, "network_interface": UNKNOWN}, "public_ip", a_template([])) is UNKNOWN
    assert fact(address, values, "public_ip") is UNKNOWN
    assert fact("google_compute_instance_from_machine_image.m", {}, "public_ip") is UNKNOWN


def test_the_default_network_is_the_one_with_that_name() -> None:
    for name, default in (("default", True), ("main", False), (UNKNOWN, UNKNOWN)):
        assert fact("google_compute_network.n", {"name": name}, "default") is default
    assert fact("google_compute_subnetwork.s", {}, "public_ips") is False


# Firewalls

SSH = {"allow": [{"protocol": "tcp", "ports": ["22"]}], "network": "n", "project": "p"}
DENY = {"deny": [{"protocol": "all"}], "allow": [], "network": "n", "project": "p", "priority": 10}


def ingress(values: dict[str, Any], *others: Resource, **changes: Any) -> Any:
    return fact("google_compute_firewall.f", values, "ingress", *others, **changes)


def a_denial(**more: Any) -> Resource:
    return google("google_compute_firewall.d", {**DENY, **more})


def test_a_firewall_without_any_source_lets_everyone_in() -> None:
    assert [entry["any_source"] for entry in ingress(SSH)] == [True]
    assert [entry["any_source"] for entry in ingress({**SSH, "source_ranges": []})] == [True]
    assert [entry["any_source"] for entry in ingress({**SSH, "source_tags": ["bastion"]})] == [False]
    assert [entry["any_source"] for entry in ingress({**SSH, "source_service_accounts": UNKNOWN})] == [
        UNKNOWN
    ]
    both = {**SSH, "source_tags": ["bastion"], "source_ranges": ["0.0.0.0/0"]}
    assert [entry["any_source"] for entry in ingress(both)] == [True]


@pytest.mark.parametrize(
    ("more", "entries"),
    [
        ({"direction": "EGRESS"}, 0),
        ({"disabled": True}, 0),
        ({"direction": UNKNOWN}, UNKNOWN),
        ({"direction": "SIDEWAYS"}, UNKNOWN),
        ({"disabled": UNKNOWN}, UNKNOWN),
        ({"disabled": "perhaps"}, UNKNOWN),
    ],
)
def test_a_firewall_that_may_not_count_lets_in_we_do_not_know_whom(
    more: dict[str, Any], entries: object
) -> None:
    found = ingress({**SSH, **more})
    assert found == () if entries == 0 else [entry["cidrs"] for entry in found] == [(UNKNOWN,)]


def test_what_a_firewall_permits_may_not_be_known() -> None:
    assert ingress({**SSH, "allow": UNKNOWN}) is UNKNOWN
    assert [e["protocol"] for e in ingress({**SSH, "allow": [UNKNOWN]})] == [UNKNOWN]
    assert [e["from_port"] for e in ingress({**SSH, "allow": [{"protocol": "tcp", "ports": UNKNOWN}]})] == [
        UNKNOWN
    ]
    assert [e["from_port"] for e in ingress({**SSH, "allow": [{"protocol": "tcp", "ports": ["ssh"]}]})] == [
        UNKNOWN
    ]
    assert [e["to_port"] for e in ingress({**SSH, "allow": [{"protocol": "tcp"}]})] == [65535]


def test_a_denial_of_the_same_network_comes_before_a_permission_behind_it() -> None:
    assert ingress(SSH, a_denial()) == ()
    assert ingress({**SSH, "priority": 10}, a_denial()) == ()
    assert len(ingress({**SSH, "priority": 9}, a_denial())) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"network": "other"},
        {"project": "other"},
        {"project": None},
        {"network": UNKNOWN},
        {"project": UNKNOWN},
        {"target_tags": ["web"]},
        {"target_tags": UNKNOWN},
        {"target_service_accounts": ["a"]},
        {"destination_ranges": ["10.0.0.0/8"]},
        {"disabled": True},
        {"disabled": UNKNOWN},
        {"direction": "EGRESS"},
        {"direction": UNKNOWN},
        {"priority": UNKNOWN},
        {"priority": 2000},
        {"deny": UNKNOWN},
        {"deny": [{"protocol": "tcp", "ports": ["23"]}]},
        {"deny": [{"protocol": UNKNOWN}]},
        {"source_ranges": ["10.0.0.0/8"]},
        {"source_ranges": UNKNOWN},
        {"source_tags": ["web"]},
    ],
)
def test_a_denial_that_may_not_hold_here_takes_nothing_away(more: dict[str, Any]) -> None:
    assert len(ingress(SSH, a_denial(**more))) == 1


def test_two_firewalls_of_a_network_that_this_plan_makes_belong_together() -> None:
    network = google("google_compute_network.n", {"name": "n"})
    reference = (a_reference("/network", "google_compute_network.n"),)
    values = {"network": UNKNOWN, "project": None}
    denial = google("google_compute_firewall.d", {**DENY, **values}, references=reference)
    assert ingress({**SSH, **values}, denial, network, references=reference) == ()
    perhaps = (a_reference("/network", "google_compute_network.n", exact=False),)
    assert len(ingress({**SSH, **values}, denial, network, references=perhaps)) == 1


def test_a_denial_that_goes_denies_nothing() -> None:
    going = google("google_compute_firewall.d", {}, action=Action.DELETE, after=None, before=DENY)
    assert len(ingress(SSH, going)) == 1


POLICY = {
    "action": "allow",
    "direction": "INGRESS",
    "match": [{"layer4_configs": [{"ip_protocol": "all"}], "src_ip_ranges": ["0.0.0.0/0"]}],
}


@pytest.mark.parametrize(
    ("match", "everyone"),
    [
        ({"src_ip_ranges": ["0.0.0.0/0"]}, True),
        ({"src_ip_ranges": ["10.0.0.0/8"]}, False),
        ({}, True),
        ({"src_secure_tags": [{"name": "t"}]}, False),
        ({"src_region_codes": ["DE"]}, UNKNOWN),
        ({"src_ip_ranges": UNKNOWN}, UNKNOWN),
        ({"src_secure_tags": UNKNOWN}, UNKNOWN),
        ({"src_ip_ranges": ["10.0.0.0/8"], "src_address_groups": ["g"]}, UNKNOWN),
    ],
)
def test_a_rule_of_a_policy_may_name_its_sources_in_many_ways(
    match: dict[str, Any], everyone: object
) -> None:
    values = {**POLICY, "match": [{"layer4_configs": [{"ip_protocol": "all"}], **match}]}
    entries = fact("google_compute_network_firewall_policy_rule.r", values, "ingress")
    assert [entry["any_source"] for entry in entries] == [everyone]


@pytest.mark.parametrize(
    ("more", "cidrs"),
    [
        ({"action": "deny"}, []),
        ({"action": "goto_next"}, []),
        ({"direction": "EGRESS"}, []),
        ({"disabled": True}, []),
        ({"action": UNKNOWN}, [(UNKNOWN,)]),
        ({"action": "something"}, [(UNKNOWN,)]),
        ({"direction": UNKNOWN}, [(UNKNOWN,)]),
        ({"disabled": UNKNOWN}, [(UNKNOWN,)]),
        ({}, [("0.0.0.0/0",)]),
    ],
)
def test_a_rule_of_a_policy_counts_unless_it_certainly_does_not(more: dict[str, Any], cidrs: object) -> None:
    entries = fact("google_compute_firewall_policy_rule.r", {**POLICY, **more}, "ingress")
    assert [entry["cidrs"] for entry in entries] == cidrs


def test_a_rule_of_a_policy_whose_match_is_not_known_is_not_closed() -> None:
    address = "google_compute_region_network_firewall_policy_rule.r"
    assert fact(address, {**POLICY, "match": UNKNOWN}, "ingress") is UNKNOWN
    assert fact(address, {**POLICY, "match": [{"layer4_configs": UNKNOWN}]}, "ingress") is UNKNOWN


# Storage


def policy(*members: str) -> str:
    return json.dumps({"bindings": [{"role": "roles/storage.objectViewer", "members": list(members)}]})


@pytest.mark.parametrize(
    ("giver", "values", "opened"),
    [
        ("member", {"member": "allUsers"}, True),
        ("member", {"member": "ALLUSERS"}, True),
        ("member", {"member": "user:a@example.com"}, False),
        ("member", {"member": UNKNOWN}, UNKNOWN),
        ("binding", {"members": ["user:a@example.com", "allAuthenticatedUsers"]}, True),
        ("binding", {"members": UNKNOWN}, UNKNOWN),
        ("binding", {"members": [UNKNOWN]}, UNKNOWN),
        ("policy", {"policy_data": policy("allUsers")}, True),
        ("policy", {"policy_data": policy("group:g@example.com")}, False),
        ("policy", {"policy_data": "{}"}, False),
        ("policy", {"policy_data": "no policy"}, UNKNOWN),
        ("policy", {"policy_data": "[]"}, UNKNOWN),
        ("policy", {"policy_data": '{"bindings": {}}'}, UNKNOWN),
        ("policy", {"policy_data": '{"bindings": [{"members": ["allUsers"]}]}'}, UNKNOWN),
        ("policy", {"policy_data": UNKNOWN}, UNKNOWN),
    ],
)
def test_a_bucket_is_public_when_everyone_is_given_a_role_on_it(
    giver: str, values: dict[str, Any], opened: object
) -> None:
    beside = google(f"google_storage_bucket_iam_{giver}.g", {"bucket": "b", **values})
    assert fact("google_storage_bucket.b", {"name": "b"}, "public_policy", beside) is opened


@pytest.mark.parametrize(
    ("values", "opened"),
    [
        ({}, True),
        ({"uniform_bucket_level_access": True}, False),
        ({"uniform_bucket_level_access": UNKNOWN}, UNKNOWN),
        ({"bucket_policy_only": True}, False),
    ],
)
def test_no_access_list_counts_with_uniform_access(values: dict[str, Any], opened: object) -> None:
    acl = google("google_storage_bucket_acl.a", {"bucket": "b", "predefined_acl": "publicReadWrite"})
    assert fact("google_storage_bucket.b", {"name": "b", **values}, "public_acl", acl) is opened


@pytest.mark.parametrize(
    ("values", "opened"),
    [
        ({"role_entity": ["OWNER:user-a@example.com", "READER:allUsers"]}, True),
        ({"role_entity": ["OWNER:user-a@example.com"]}, False),
        ({"role_entity": UNKNOWN}, UNKNOWN),
        ({"role_entity": [UNKNOWN]}, UNKNOWN),
        ({"predefined_acl": UNKNOWN}, UNKNOWN),
        ({"predefined_acl": "private", "default_acl": "publicRead"}, True),
    ],
)
def test_an_access_list_may_name_everyone(values: dict[str, Any], opened: object) -> None:
    acl = google("google_storage_bucket_acl.a", {"bucket": "b", **values})
    assert fact("google_storage_bucket.b", {"name": "b"}, "public_acl", acl) is opened


def test_a_key_that_may_be_none_is_not_a_key() -> None:
    at = "/encryption/default_kms_key_name"
    values = {"encryption": [{"default_kms_key_name": UNKNOWN}]}
    key = google("google_kms_crypto_key.k", {"name": "k"})
    assert fact("google_storage_bucket.b", values, "encryption", key) is UNKNOWN
    tied = (a_reference(at, "google_kms_crypto_key.k"),)
    assert fact("google_storage_bucket.b", values, "encryption", key, references=tied) == "google:kms"
    for empty in ("", None):
        none = {"encryption": [{"default_kms_key_name": empty}]}
        assert fact("google_storage_bucket.b", none, "encryption") == "AES256"


# Databases


@pytest.mark.parametrize(
    ("settings", "public"),
    [
        ([{"ip_configuration": [{"ipv4_enabled": False}]}], False),
        ([{"ip_configuration": [{"ipv4_enabled": None}]}], True),
        ([{"ip_configuration": []}], True),
        ([{}], True),
        ([{"ip_configuration": UNKNOWN}], UNKNOWN),
        ([], UNKNOWN),
        (UNKNOWN, UNKNOWN),
        ({"ip_configuration": {"ipv4_enabled": False}}, False),
    ],
)
def test_an_instance_has_an_address_unless_told_otherwise(settings: Any, public: object) -> None:
    values = {"settings": settings}
    assert fact("google_sql_database_instance.i", values, "public", configured=None) is public


@pytest.mark.parametrize(
    ("address", "values", "protected"),
    [
        ("google_sql_database_instance.i", {"settings": [{}]}, True),
        ("google_sql_database_instance.i", {"settings": [{}], "deletion_protection": False}, False),
        (
            "google_sql_database_instance.i",
            {"settings": [{"deletion_protection_enabled": True}], "deletion_protection": False},
            True,
        ),
        ("google_spanner_database.d", {"deletion_protection": False, "enable_drop_protection": True}, True),
        ("google_spanner_database.d", {}, UNKNOWN),
        ("google_firestore_database.d", {"delete_protection_state": "DELETE_PROTECTION_ENABLED"}, True),
        ("google_redis_instance.r", {}, UNKNOWN),
        ("google_alloydb_cluster.c", {"deletion_protection": True}, True),
    ],
)
def test_a_database_says_whether_it_can_be_deleted(
    address: str, values: dict[str, Any], protected: object
) -> None:
    assert fact(address, values, "deletion_protection") is protected


@pytest.mark.parametrize(
    ("blocks", "public"), [(UNKNOWN, UNKNOWN), ([], False), ([{"enable_public_ip": True}], True)]
)
def test_an_instance_of_a_cluster_is_public_when_told_so(blocks: Any, public: object) -> None:
    assert fact("google_alloydb_instance.i", {"network_config": blocks}, "public") is public


def test_a_dataset_is_public_when_its_access_names_everyone() -> None:
    for access, public in (
        ({"iam_member": "iamMember:allUsers"}, True),
        ({"special_group": "allAuthenticatedUsers"}, True),
        ({"special_group": "projectReaders"}, False),
        ({"special_group": UNKNOWN}, UNKNOWN),
    ):
        assert fact("google_bigquery_dataset.d", {"access": [access]}, "public") is public
    assert fact("google_bigquery_dataset.d", {"access": UNKNOWN}, "public") is UNKNOWN


def test_access_to_a_dataset_is_found_by_its_name() -> None:
    values = {"dataset_id": "d", "access": []}
    for beside in (
        google("google_bigquery_dataset_iam_member.m", {"dataset_id": "d", "member": "allUsers"}),
        google("google_bigquery_dataset_access.a", {"dataset_id": "d", "iam_member": "allUsers"}),
        google(
            "google_bigquery_dataset_iam_binding.b",
            {"dataset_id": UNKNOWN, "members": ["allUsers"]},
            references=(a_reference("/dataset_id", "google_bigquery_dataset.d", attribute="dataset_id"),),
        ),
    ):
        assert fact("google_bigquery_dataset.d", values, "public", beside) is True
    other = google("google_bigquery_dataset_iam_member.m", {"dataset_id": "other", "member": "allUsers"})
    assert fact("google_bigquery_dataset.d", values, "public", other) is False


# Permissions


@pytest.mark.parametrize(
    ("role", "full"),
    [
        ("roles/owner", True),
        ("roles/Editor", True),
        ("roles/resourcemanager.projectIamAdmin", True),
        ("roles/iam.securityAdmin", True),
        ("roles/viewer", False),
        ("roles/storage.admin", False),
        ("organizations/1/roles/custom", UNKNOWN),
        (UNKNOWN, UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_a_basic_role_makes_an_administrator(role: object, full: object) -> None:
    for place in ("project", "folder", "organization"):
        assert fact(f"google_{place}_iam_member.m", {"role": role}, "full_admin") is full


def test_a_policy_makes_an_administrator_of_whoever_it_names() -> None:
    for role, members, full in (
        ("roles/owner", ["user:a@example.com"], True),
        ("roles/owner", [], False),
        ("projects/p/roles/r", ["user:a@example.com"], UNKNOWN),
    ):
        document = json.dumps({"bindings": [{"role": role, "members": members}]})
        assert fact("google_project_iam_policy.p", {"policy_data": document}, "full_admin") is full
    assert fact("google_folder_iam_policy.p", {"policy_data": "x"}, "full_admin") is UNKNOWN


def test_a_role_of_our_own_is_full_when_it_may_set_the_policy_of_a_project() -> None:
    for permissions, full in (
        (["resourcemanager.projects.setIamPolicy"], True),
        (["storage.objects.get"], False),
        (["storage.objects.get", UNKNOWN], UNKNOWN),
        (UNKNOWN, UNKNOWN),
    ):
        values = {"permissions": permissions}
        assert fact("google_project_iam_custom_role.r", values, "full_admin") is full


# Balancers


@pytest.mark.parametrize(
    ("scheme", "public"),
    [
        ({"load_balancing_scheme": "EXTERNAL_MANAGED"}, True),
        ({}, True),
        ({"load_balancing_scheme": None}, True),
        ({"load_balancing_scheme": "INTERNAL"}, False),
        ({"load_balancing_scheme": "INTERNAL_SELF_MANAGED"}, False),
        ({"load_balancing_scheme": ""}, False),
        ({"load_balancing_scheme": UNKNOWN}, UNKNOWN),
    ],
)
def test_a_forwarding_rule_is_public_unless_its_scheme_is_internal(
    scheme: dict[str, Any], public: object
) -> None:
    assert fact("google_compute_forwarding_rule.f", scheme, "public") is public


@pytest.mark.parametrize(
    ("url_map", "tls"),
    [
        ({"default_url_redirect": [{"https_redirect": True}]}, True),
        ({"default_url_redirect": [{"https_redirect": False}]}, False),
        ({"default_url_redirect": [{"https_redirect": UNKNOWN}]}, UNKNOWN),
        ({"default_url_redirect": []}, False),
        ({"default_url_redirect": [{"https_redirect": True}], "path_matcher": [{"name": "a"}]}, False),
        ({"default_url_redirect": [{"https_redirect": True}], "host_rule": UNKNOWN}, UNKNOWN),
        ({"default_url_redirect": UNKNOWN}, UNKNOWN),
    ],
)
def test_a_proxy_for_http_may_do_nothing_but_redirect(url_map: dict[str, Any], tls: object) -> None:
    beside = google("google_compute_url_map.u", {"id": "u1", **url_map})
    assert fact("google_compute_target_http_proxy.p", {"url_map": "u1"}, "tls", beside) is tls


def test_a_proxy_whose_map_is_elsewhere_is_not_known() -> None:
    assert fact("google_compute_target_http_proxy.p", {"url_map": "elsewhere"}, "tls") is UNKNOWN


# Services


@pytest.mark.parametrize(
    ("address", "giver", "at"),
    [
        ("google_cloudfunctions_function.f", "google_cloudfunctions_function", "cloud_function"),
        ("google_cloudfunctions2_function.f", "google_cloudfunctions2_function", "cloud_function"),
        ("google_cloudfunctions2_function.f", "google_cloud_run_service", "service"),
        ("google_cloud_run_service.f", "google_cloud_run_service", "service"),
        ("google_cloud_run_v2_service.f", "google_cloud_run_v2_service", "name"),
        ("google_cloud_run_v2_service.f", "google_cloud_run_service", "service"),
    ],
)
def test_a_function_is_public_when_everyone_is_given_a_role_on_it(address: str, giver: str, at: str) -> None:
    for member, public in (("allUsers", True), ("user:a@example.com", False), (UNKNOWN, UNKNOWN)):
        beside = google(f"{giver}_iam_member.m", {at: "f", "member": member})
        assert fact(address, {"name": "f"}, "public", beside) is public


def test_a_service_may_ask_for_no_identity_or_be_closed_to_the_internet() -> None:
    address = "google_cloud_run_v2_service.s"
    assert fact(address, {"invoker_iam_disabled": True}, "public") is True
    assert fact(address, {"invoker_iam_disabled": UNKNOWN}, "public") is UNKNOWN
    inside = {"invoker_iam_disabled": True, "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"}
    assert fact(address, inside, "public") is False
    assert fact(address, {"invoker_iam_disabled": True, "ingress": UNKNOWN}, "public") is True


def test_a_repository_says_whether_tags_move_and_images_are_not_scanned() -> None:
    address = "google_artifact_registry_repository.r"
    assert fact(address, {"docker_config": [{"immutable_tags": True}]}, "immutable_tags") is True
    assert fact(address, {}, "immutable_tags") is False
    assert fact(address, {"docker_config": UNKNOWN}, "immutable_tags") is UNKNOWN
    off = {"vulnerability_scanning_config": [{"enablement_config": "DISABLED"}]}
    assert fact(address, off, "scan_on_push") is False
    assert fact(address, {}, "scan_on_push") is UNKNOWN
    assert fact("google_container_registry.r", {}, "immutable_tags") is False


def test_a_bucket_for_logs_keeps_them_for_thirty_days() -> None:
    for days, kept in ((None, 30), (0, 30), (365, 365), (UNKNOWN, UNKNOWN)):
        for place in ("project", "folder", "organization", "billing_account"):
            address = f"google_logging_{place}_bucket_config.b"
            assert fact(address, {"retention_days": days}, "retention_days") == kept
    address = "google_logging_project_bucket_config.b"
    assert fact(address, {"cmek_settings": [{"kms_key_name": "k"}]}, "encrypted") is True
    assert fact(address, {"cmek_settings": {"kms_key_name": "k"}}, "encrypted") is True
    assert fact(address, {"cmek_settings": [{"kms_key_name": UNKNOWN}]}, "encrypted") is UNKNOWN
    assert fact(address, {"cmek_settings": UNKNOWN}, "encrypted") is UNKNOWN
    assert fact(address, {}, "encrypted") is False


@pytest.mark.parametrize(
    ("values", "rotation"),
    [
        ({"rotation_period": "100000s"}, True),
        ({}, False),
        ({"purpose": "MAC"}, None),
        ({"import_only": True}, None),
        ({"version_template": [{"protection_level": "EXTERNAL_VPC"}]}, None),
        ({"version_template": [{"protection_level": "HSM"}]}, False),
        ({"version_template": [{"protection_level": UNKNOWN}]}, UNKNOWN),
        ({"version_template": UNKNOWN}, UNKNOWN),
        ({"import_only": UNKNOWN}, UNKNOWN),
    ],
)
def test_a_key_rotates_when_it_has_a_period(values: dict[str, Any], rotation: object) -> None:
    assert fact("google_kms_crypto_key.k", values, "rotation") is rotation


@pytest.mark.parametrize(
    ("values", "public"),
    [
        ({}, True),
        ({"private_cluster_config": [{"enable_private_endpoint": True}]}, False),
        ({"private_cluster_config": [{"enable_private_endpoint": UNKNOWN}]}, UNKNOWN),
        ({"private_cluster_config": [{}]}, True),
        ({"master_authorized_networks_config": [{}]}, False),
        ({"master_authorized_networks_config": [{"cidr_blocks": UNKNOWN}]}, UNKNOWN),
        ({"master_authorized_networks_config": [{"cidr_blocks": [{"cidr_block": "::/0"}]}]}, True),
        ({"control_plane_endpoints_config": [{"ip_endpoints_config": [{"enabled": False}]}]}, False),
        ({"control_plane_endpoints_config": [{"dns_endpoint_config": UNKNOWN}]}, True),
        (
            {
                "private_cluster_config": [{"enable_private_endpoint": True}],
                "control_plane_endpoints_config": [{"dns_endpoint_config": UNKNOWN}],
            },
            UNKNOWN,
        ),
        (
            {
                "private_cluster_config": [{"enable_private_endpoint": True}],
                "control_plane_endpoints_config": UNKNOWN,
            },
            UNKNOWN,
        ),
    ],
)
def test_a_cluster_is_public_by_address_or_by_name(values: dict[str, Any], public: object) -> None:
    assert fact("google_container_cluster.c", values, "public_endpoint", configured=None) is public


def test_secrets_of_a_cluster_are_encrypted_with_a_key_of_ours_when_it_says_so() -> None:
    for state, encrypted in (("ENCRYPTED", True), ("DECRYPTED", False), (UNKNOWN, UNKNOWN)):
        values = {"database_encryption": [{"state": state}]}
        assert fact("google_container_cluster.c", values, "secrets_encrypted") is encrypted


# What all resources have


@pytest.mark.parametrize(
    ("values", "tags", "complete"),
    [
        ({"tags": ["web"], "labels": {"a": "b"}}, {"a": "b"}, True),
        ({"labels": {"a": "b"}, "effective_labels": {"a": "b", "c": "d"}}, {"a": "b", "c": "d"}, True),
        ({"labels": {"a": "b"}, "effective_labels": UNKNOWN}, {"a": "b"}, False),
        ({"resource_labels": {"a": "b"}}, {"a": "b"}, True),
        ({"settings": [{"user_labels": {"a": "b"}}]}, {"a": "b"}, True),
        ({"settings": UNKNOWN}, UNKNOWN, False),
        ({"labels": UNKNOWN}, UNKNOWN, False),
        ({"tags": ["web"]}, None, True),
    ],
)
def test_labels_are_the_tags_of_google(values: dict[str, Any], tags: object, complete: object) -> None:
    facts = facts_of(google("google_something.s", values))
    assert (facts["tags"], facts["tags_complete"]) == (tags, complete)


@pytest.mark.parametrize(
    ("address", "values", "regional"),
    [
        ("google_compute_disk.d", {"zone": "europe-west1-b"}, True),
        ("google_compute_disk.d", {"zone": UNKNOWN}, True),
        ("google_compute_disk.d", {}, UNKNOWN),
        ("google_sql_database_instance.i", {}, UNKNOWN),
        ("google_sql_database.d", {}, False),
        ("google_compute_network.n", {}, False),
        ("google_compute_network_endpoint_group.g", {}, UNKNOWN),
        ("google_project_iam_member.m", {}, False),
        ("google_kms_key_ring.r", {"location": "global"}, False),
    ],
)
def test_what_spans_all_regions_is_listed(address: str, values: dict[str, Any], regional: object) -> None:
    assert fact(address, values, "regional") is regional


@pytest.mark.parametrize(
    ("address", "stateful"),
    [
        ("google_project.p", True),
        ("google_compute_instance.i", False),
        ("google_compute_instance_group_manager.g", False),
        ("google_compute_backend_bucket.b", UNKNOWN),
        ("google_something_new.s", UNKNOWN),
        ("google_storage_bucket_iam_member.m", False),
    ],
)
def test_what_holds_data_is_listed_and_what_is_not_listed_is_not_known(
    address: str, stateful: object
) -> None:
    assert fact(address, {}, "stateful") is stateful


@pytest.mark.parametrize("native_type", sorted(name for name in ADAPTERS if name.startswith("google_")))
def test_of_a_resource_of_which_nothing_is_known_nothing_good_is_said_that_could_be_otherwise(
    native_type: str,
) -> None:
    facts = facts_of(google(f"{native_type}.x", planned=AllUnknown(), configured=None))
    for name in ("public_access_blocked", "rotation", "versioned", "immutable_tags", "scan_on_push"):
        assert facts.get(name) is not True
    for name in ("public_ip", "full_admin", "public_endpoint", "public_acl", "public_policy"):
        assert facts.get(name) is not False or name in {"public_acl", "public_policy"}


def test_encryption_that_is_not_known_is_not_the_default() -> None:
    assert fact("google_storage_bucket.b", {"encryption": UNKNOWN}, "encryption") is UNKNOWN
