"""Plans of Google."""

from typing import Any, Final

from cloud_cases.table import COMPUTED, UNKNOWN, Case, Ref, case

INTERNAL: Final = [{"network": "default", "access_config": [], "ipv6_access_config": []}]
OPEN: Final = [{"network": "default", "access_config": [{"nat_ip": COMPUTED}], "ipv6_access_config": []}]
NETWORK: Final = {"name": "main", "id": COMPUTED, "self_link": COMPUTED}


def machine(interfaces: Any, **more: Any) -> dict[str, Any]:
    """A machine, or a template for some."""
    return {"name": "web", "zone": "europe-west1-b", "network_interface": interfaces, "tags": ["web"], **more}


def template(interfaces: Any) -> dict[str, Any]:
    """A template."""
    return {"name": "web", "network_interface": interfaces, "id": COMPUTED, "self_link": COMPUTED}


def group(template_id: Any) -> dict[str, Any]:
    """A group that makes machines from a template."""
    return {"name": "web", "version": [{"instance_template": template_id}]}


def firewall(**more: Any) -> dict[str, Any]:
    """A firewall that lets everyone in to SSH, unless told otherwise."""
    return {
        "name": "ssh",
        "network": Ref("google_compute_network.main.id"),
        "project": COMPUTED,
        "priority": 1000,
        "direction": COMPUTED,
        "disabled": None,
        "allow": [{"protocol": "tcp", "ports": ["22"]}],
        "deny": [],
        "source_ranges": ["0.0.0.0/0"],
        "source_tags": None,
        "source_service_accounts": None,
        "target_tags": None,
        "target_service_accounts": None,
        "destination_ranges": COMPUTED,
        **more,
    }


def policy_rule(**more: Any) -> dict[str, Any]:
    """A rule of a firewall policy that lets everyone in to RDP, unless told otherwise."""
    return {
        "priority": 10,
        "action": "allow",
        "direction": "INGRESS",
        "disabled": None,
        "match": [
            {
                "src_ip_ranges": ["0.0.0.0/0"],
                "src_secure_tags": [],
                "layer4_configs": [{"ip_protocol": "tcp", "ports": ["3000-4000"]}],
            }
        ],
        **more,
    }


def bucket(**more: Any) -> dict[str, Any]:
    """A bucket, with what a newer provider computes."""
    return {
        "name": UNKNOWN,
        "location": "EU",
        "public_access_prevention": COMPUTED,
        "uniform_bucket_level_access": COMPUTED,
        "encryption": [],
        "versioning": COMPUTED,
        "id": COMPUTED,
        **more,
    }


def sql(settings: Any, **more: Any) -> dict[str, Any]:
    """A database instance."""
    return {
        "name": "main",
        "database_version": "POSTGRES_16",
        "region": "europe-west1",
        "settings": settings,
        **more,
    }


def cluster(**more: Any) -> dict[str, Any]:
    """A cluster, with what a newer provider computes."""
    return {
        "name": "main",
        "location": "europe-west1",
        "private_cluster_config": COMPUTED,
        "master_authorized_networks_config": COMPUTED,
        "control_plane_endpoints_config": COMPUTED,
        "database_encryption": COMPUTED,
        **more,
    }


def url_map(**more: Any) -> dict[str, Any]:
    """A map that sends everything on to HTTPS."""
    return {
        "name": "web",
        "default_url_redirect": [{"https_redirect": True, "strip_query": False}],
        "host_rule": [],
        "path_matcher": [],
        "id": COMPUTED,
        **more,
    }


BUCKET: Final = Ref("google_storage_bucket.records.name")
OPEN_POLICY: Final = '{"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}'
OWNERS: Final = '{"bindings": [{"role": "roles/owner", "members": ["user:a@example.com"]}]}'
READERS: Final = '{"bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"]}]}'
EXTERNAL: Final = {"load_balancing_scheme": "EXTERNAL", "name": "web"}
PROXY: Final = {"name": "web", "url_map": Ref("google_compute_url_map.web.id")}
NAMED_NETWORK: Final = [{"cidr_blocks": [{"cidr_block": "198.51.100.0/24"}]}]
NO_DNS: Final = [
    {"dns_endpoint_config": [{"allow_external_traffic": False}], "ip_endpoints_config": [{"enabled": True}]}
]

CASES: Final[tuple[Case, ...]] = (
    case(
        "instance_no_public_ip",
        "fail_google",
        ("google_compute_instance.web", "fail", machine(OPEN)),
        (
            "google_compute_instance.sixth",
            "fail",
            machine(
                [
                    {
                        "network": "default",
                        "access_config": [],
                        "ipv6_access_config": [{"network_tier": "PREMIUM"}],
                    }
                ]
            ),
        ),
        ("google_compute_instance_template.web", "fail", template(OPEN)),
        ("google_compute_region_instance_template.web", "fail", template(OPEN)),
        (
            "google_compute_instance_from_template.web",
            "fail",
            {
                "name": "web",
                "network_interface": COMPUTED,
                "source_instance_template": Ref("google_compute_instance_template.web.id"),
            },
        ),
        ("google_compute_instance_from_machine_image.web", "fail", machine(OPEN)),
        (
            "google_compute_instance_group_manager.web",
            "fail",
            group(Ref("google_compute_instance_template.web.id")),
        ),
        (
            "google_compute_region_instance_group_manager.web",
            "fail",
            group(Ref("google_compute_region_instance_template.web.id")),
        ),
    ),
    case(
        "instance_no_public_ip",
        "pass_google",
        ("google_compute_instance.web", "pass", machine(INTERNAL)),
        ("google_compute_instance_template.web", "pass", template(INTERNAL)),
        (
            "google_compute_instance_group_manager.web",
            "pass",
            group(Ref("google_compute_instance_template.web.id")),
        ),
    ),
    case(
        "instance_no_public_ip",
        "absent_google_template",
        (
            "google_compute_instance_group_manager.web",
            "unknown",
            group("projects/p/global/instanceTemplates/t"),
        ),
        (
            "google_compute_instance_from_machine_image.web",
            "unknown",
            {"name": "web", "network_interface": COMPUTED},
        ),
    ),
    case(
        "instance_no_public_ip",
        "unknown_google",
        ("google_compute_instance.web", "unknown", machine(UNKNOWN)),
        (
            "google_compute_instance.inside",
            "unknown",
            machine([{"network": "default", "access_config": UNKNOWN, "ipv6_access_config": []}]),
        ),
    ),
    case(
        "instance_metadata_v2",
        "pass_google",
        ("google_compute_instance.web", "pass", machine(INTERNAL)),
        ("google_compute_instance_template.web", "pass", template(INTERNAL)),
        (
            "google_compute_instance_group_manager.web",
            "not_applicable",
            group(Ref("google_compute_instance_template.web.id")),
        ),
    ),
    case(
        "volume_encrypted",
        "pass_google",
        ("google_compute_disk.data", "pass", {"name": "data", "zone": "europe-west1-b"}),
        ("google_compute_region_disk.data", "pass", {"name": "data", "region": "europe-west1"}),
        ("google_compute_instance.web", "pass", machine(INTERNAL)),
    ),
    case(
        "ingress_no_open_admin_ports",
        "fail_google",
        ("google_compute_network.main", "", NETWORK),
        ("google_compute_firewall.ssh", "fail", firewall()),
        (
            "google_compute_firewall.all",
            "fail",
            firewall(name="all", allow=[{"protocol": "all", "ports": []}], source_ranges=["::/0"]),
        ),
        (
            "google_compute_firewall.halves",
            "fail",
            firewall(
                name="h", allow=[{"protocol": "6", "ports": None}], source_ranges=["0.0.0.0/1", "128.0.0.0/1"]
            ),
        ),
        (
            "google_compute_firewall.denied_for_some",
            "pass",
            firewall(
                name="d", priority=10, allow=[], deny=[{"protocol": "all", "ports": []}], target_tags=["web"]
            ),
        ),
        ("google_compute_firewall_policy_rule.rdp", "fail", policy_rule()),
        ("google_compute_network_firewall_policy_rule.rdp", "fail", policy_rule()),
        ("google_compute_region_network_firewall_policy_rule.rdp", "fail", policy_rule()),
    ),
    case(
        "ingress_no_open_admin_ports",
        "pass_google",
        ("google_compute_network.main", "", NETWORK),
        ("google_compute_firewall.behind", "pass", firewall()),
        (
            "google_compute_firewall.denial",
            "pass",
            firewall(name="d", allow=[], deny=[{"protocol": "tcp", "ports": ["0-1023"]}]),
        ),
        (
            "google_compute_firewall.named",
            "pass",
            firewall(name="n", priority=1, source_ranges=["10.0.0.0/8"]),
        ),
        (
            "google_compute_firewall.tagged",
            "pass",
            firewall(name="t", source_ranges=COMPUTED, source_tags=["bastion"]),
        ),
        ("google_compute_firewall.off", "pass", firewall(name="o", priority=1, disabled=True)),
        ("google_compute_firewall.out", "pass", firewall(name="e", priority=1, direction="EGRESS")),
        (
            "google_compute_firewall.web",
            "pass",
            firewall(name="w", priority=1, allow=[{"protocol": "tcp", "ports": ["80", "443"]}]),
        ),
        ("google_compute_network_firewall_policy_rule.next", "pass", policy_rule(action="goto_next")),
    ),
    case(
        "ingress_no_open_admin_ports",
        "absent_google_sources",
        ("google_compute_firewall.ssh", "fail", firewall(source_ranges=COMPUTED)),
    ),
    case(
        "ingress_no_open_admin_ports",
        "unknown_google",
        ("google_compute_firewall.source", "unknown", firewall(source_ranges=UNKNOWN)),
        ("google_compute_firewall.off", "unknown", firewall(name="o", disabled=UNKNOWN)),
        (
            "google_compute_firewall.port",
            "unknown",
            firewall(name="p", allow=[{"protocol": "tcp", "ports": [UNKNOWN]}]),
        ),
        ("google_compute_firewall.what", "unknown", firewall(name="w", allow=UNKNOWN)),
        ("google_compute_network_firewall_policy_rule.what", "unknown", policy_rule(action=UNKNOWN)),
    ),
    case(
        "ingress_no_open_all",
        "fail_google",
        ("google_compute_firewall.all", "fail", firewall(allow=[{"protocol": "all", "ports": []}])),
        ("google_compute_firewall.tcp", "fail", firewall(allow=[{"protocol": "tcp", "ports": []}])),
    ),
    case("ingress_no_open_all", "pass_google", ("google_compute_firewall.ssh", "pass", firewall())),
    case(
        "bucket_no_public_access",
        "fail_google",
        ("google_storage_bucket.records", "fail", bucket(public_access_prevention="inherited")),
        (
            "google_storage_bucket_iam_member.records",
            "",
            {"bucket": BUCKET, "role": "roles/storage.objectViewer", "member": "allUsers"},
        ),
    ),
    case(
        "bucket_no_public_access",
        "fail_google_open_policy",
        ("google_storage_bucket.records", "fail", bucket()),
        ("google_storage_bucket_iam_policy.records", "", {"bucket": BUCKET, "policy_data": OPEN_POLICY}),
        settings={"require_block": False},
    ),
    case(
        "bucket_no_public_access",
        "fail_google_open_binding",
        ("google_storage_bucket.records", "fail", bucket()),
        (
            "google_storage_bucket_iam_binding.records",
            "",
            {"bucket": BUCKET, "members": ["user:a@example.com", "allAuthenticatedUsers"]},
        ),
        settings={"require_block": False},
    ),
    *(
        case(
            "bucket_no_public_access",
            f"fail_google_open_list_{number}",
            ("google_storage_bucket.records", "fail", bucket()),
            (f"{kind}.records", "", {"bucket": BUCKET, **values}),
            settings={"require_block": False},
        )
        for number, (kind, values) in enumerate(
            (
                ("google_storage_bucket_acl", {"predefined_acl": "publicRead", "role_entity": COMPUTED}),
                ("google_storage_default_object_acl", {"role_entity": ["READER:allUsers"]}),
                ("google_storage_bucket_access_control", {"entity": "allUsers", "role": "READER"}),
                ("google_storage_default_object_access_control", {"entity": "allAuthenticatedUsers"}),
            ),
            1,
        )
    ),
    case(
        "bucket_no_public_access",
        "pass_google",
        ("google_storage_bucket.records", "pass", bucket(public_access_prevention="enforced")),
    ),
    case(
        "bucket_no_public_access",
        "pass_google_lists_do_not_count",
        ("google_storage_bucket.records", "pass", bucket(uniform_bucket_level_access=True)),
        ("google_storage_bucket_acl.records", "", {"bucket": BUCKET, "predefined_acl": "publicRead"}),
        settings={"require_block": False},
    ),
    case("bucket_no_public_access", "absent_google", ("google_storage_bucket.records", "fail", bucket())),
    case(
        "bucket_no_public_access",
        "unknown_google",
        ("google_storage_bucket.records", "unknown", bucket(public_access_prevention=UNKNOWN)),
    ),
    case(
        "bucket_encrypted",
        "pass_google",
        ("google_kms_crypto_key.data", "", {"name": "data", "id": COMPUTED}),
        ("google_storage_bucket.records", "pass", bucket()),
        (
            "google_storage_bucket.keyed",
            "pass",
            bucket(encryption=[{"default_kms_key_name": Ref("google_kms_crypto_key.data.id")}]),
        ),
    ),
    case(
        "bucket_encrypted",
        "fail_google_without_a_key_of_ours",
        ("google_storage_bucket.records", "fail", bucket()),
        settings={"accepted": ["google:kms"]},
    ),
    case(
        "bucket_encrypted",
        "unknown_google",
        ("google_storage_bucket.records", "unknown", bucket(encryption=[{"default_kms_key_name": UNKNOWN}])),
    ),
    case(
        "bucket_versioned",
        "fail_google",
        ("google_storage_bucket.records", "fail", bucket(versioning=[{"enabled": False}])),
    ),
    case(
        "bucket_versioned",
        "pass_google",
        ("google_storage_bucket.records", "pass", bucket(versioning=[{"enabled": True}])),
    ),
    case("bucket_versioned", "absent_google", ("google_storage_bucket.records", "fail", bucket())),
    case(
        "bucket_versioned",
        "unknown_google",
        ("google_storage_bucket.records", "unknown", bucket(versioning=[{"enabled": UNKNOWN}])),
    ),
    case(
        "database_not_public",
        "fail_google",
        (
            "google_sql_database_instance.main",
            "fail",
            sql([{"tier": "db-f1-micro", "ip_configuration": [{"ipv4_enabled": True}]}]),
        ),
        (
            "google_alloydb_instance.main",
            "fail",
            {"instance_id": "main", "network_config": [{"enable_public_ip": True}]},
        ),
        (
            "google_bigquery_dataset.main",
            "fail",
            {
                "dataset_id": "main",
                "access": [{"special_group": "allAuthenticatedUsers", "iam_member": None}],
            },
        ),
        ("google_bigquery_dataset.given", "fail", {"dataset_id": "given", "access": [], "id": COMPUTED}),
        (
            "google_bigquery_dataset_iam_member.given",
            "",
            {"dataset_id": Ref("google_bigquery_dataset.given.id"), "member": "allUsers"},
        ),
        ("google_bigquery_dataset.access", "fail", {"dataset_id": "access", "access": [], "id": COMPUTED}),
        (
            "google_bigquery_dataset_access.access",
            "",
            {
                "dataset_id": Ref("google_bigquery_dataset.access.id"),
                "special_group": None,
                "iam_member": "allUsers",
            },
        ),
    ),
    case(
        "database_not_public",
        "pass_google",
        (
            "google_sql_database_instance.main",
            "pass",
            sql([{"tier": "db-f1-micro", "ip_configuration": [{"ipv4_enabled": False}]}]),
        ),
        ("google_alloydb_cluster.main", "not_applicable", {"cluster_id": "main", "location": "europe-west1"}),
        ("google_alloydb_instance.main", "pass", {"instance_id": "main", "network_config": []}),
        *(
            (f"google_{name}.main", "pass", {"name": "main"})
            for name in (
                "redis_instance",
                "redis_cluster",
                "memorystore_instance",
                "memcache_instance",
                "spanner_instance",
                "spanner_database",
                "bigtable_instance",
                "firestore_database",
            )
        ),
        (
            "google_bigquery_dataset.main",
            "pass",
            {"dataset_id": "main", "access": [{"special_group": "projectOwners", "iam_member": None}]},
        ),
    ),
    case(
        "database_not_public",
        "absent_google",
        (
            "google_sql_database_instance.main",
            "fail",
            sql([{"tier": "db-f1-micro", "ip_configuration": COMPUTED}]),
        ),
    ),
    case(
        "database_not_public",
        "unknown_google",
        (
            "google_sql_database_instance.main",
            "unknown",
            sql([{"tier": "db-f1-micro", "ip_configuration": [{"ipv4_enabled": UNKNOWN}]}]),
        ),
        ("google_bigquery_dataset.main", "unknown", {"dataset_id": "main", "access": COMPUTED}),
    ),
    case(
        "database_encrypted",
        "pass_google",
        ("google_sql_database_instance.main", "pass", sql([{"tier": "db-f1-micro"}])),
        ("google_spanner_database.main", "pass", {"name": "main"}),
        ("google_bigquery_dataset.main", "pass", {"dataset_id": "main", "access": []}),
    ),
    case(
        "iam_no_full_admin",
        "fail_google",
        *(
            (
                f"google_{place}_iam_member.owner",
                "fail",
                {"role": "roles/owner", "member": "user:a@example.com"},
            )
            for place in ("project", "folder", "organization")
        ),
        *(
            (
                f"google_{place}_iam_binding.editor",
                "fail",
                {"role": "roles/editor", "members": ["user:a@example.com"]},
            )
            for place in ("project", "folder", "organization")
        ),
        *(
            (f"google_{place}_iam_policy.all", "fail", {"policy_data": OWNERS})
            for place in ("project", "folder", "organization")
        ),
        (
            "google_project_iam_custom_role.grants",
            "fail",
            {"role_id": "grants", "permissions": ["resourcemanager.projects.setIamPolicy"]},
        ),
        (
            "google_organization_iam_custom_role.grants",
            "fail",
            {"role_id": "grants", "permissions": ["resourcemanager.organizations.setIamPolicy"]},
        ),
    ),
    case(
        "iam_no_full_admin",
        "pass_google",
        (
            "google_project_iam_member.viewer",
            "pass",
            {"role": "roles/viewer", "member": "user:a@example.com"},
        ),
        ("google_project_iam_policy.viewers", "pass", {"policy_data": READERS}),
        (
            "google_project_iam_custom_role.small",
            "pass",
            {"role_id": "small", "permissions": ["storage.objects.get"], "id": COMPUTED},
        ),
        (
            "google_project_iam_member.own",
            "pass",
            {"role": Ref("google_project_iam_custom_role.small.id"), "member": "user:a@example.com"},
        ),
    ),
    case(
        "iam_no_full_admin",
        "unknown_google",
        ("google_project_iam_member.which", "unknown", {"role": UNKNOWN, "member": "user:a@example.com"}),
        ("google_project_iam_member.other", "unknown", {"role": "projects/p/roles/other"}),
        ("google_project_iam_policy.all", "unknown", {"policy_data": UNKNOWN}),
        ("google_project_iam_custom_role.what", "unknown", {"role_id": "what", "permissions": [UNKNOWN]}),
    ),
    case(
        "listener_tls",
        "fail_google",
        ("google_compute_url_map.web", "", url_map(default_url_redirect=[], id=COMPUTED)),
        ("google_compute_target_http_proxy.web", "fail", PROXY),
        ("google_compute_url_map.mixed", "", url_map(host_rule=[{"hosts": ["a"], "path_matcher": "a"}])),
        (
            "google_compute_target_http_proxy.mixed",
            "fail",
            {"name": "mixed", "url_map": Ref("google_compute_url_map.mixed.id")},
        ),
        ("google_compute_region_url_map.web", "", url_map(default_url_redirect=[])),
        (
            "google_compute_region_target_http_proxy.web",
            "fail",
            {"name": "web", "url_map": Ref("google_compute_region_url_map.web.id")},
        ),
    ),
    case(
        "listener_tls",
        "pass_google",
        ("google_compute_url_map.web", "", url_map()),
        ("google_compute_target_http_proxy.web", "pass", PROXY),
        ("google_compute_target_https_proxy.web", "pass", PROXY),
        ("google_compute_region_target_https_proxy.web", "pass", PROXY),
        ("google_compute_target_ssl_proxy.web", "pass", {"name": "web"}),
        ("google_compute_target_tcp_proxy.web", "not_applicable", {"name": "web"}),
        ("google_compute_region_target_tcp_proxy.web", "not_applicable", {"name": "web"}),
        ("google_compute_forwarding_rule.web", "not_applicable", EXTERNAL),
        ("google_compute_global_forwarding_rule.web", "not_applicable", EXTERNAL),
    ),
    case(
        "listener_tls",
        "absent_google_url_map",
        ("google_compute_target_http_proxy.web", "fail", {"name": "web"}),
    ),
    case(
        "listener_tls",
        "unknown_google",
        ("google_compute_target_http_proxy.web", "unknown", {"name": "web", "url_map": UNKNOWN}),
    ),
    case(
        "key_rotation",
        "fail_google",
        ("google_kms_crypto_key.data", "fail", {"name": "data", "rotation_period": None, "purpose": None}),
    ),
    case(
        "key_rotation",
        "pass_google",
        ("google_kms_crypto_key.data", "pass", {"name": "data", "rotation_period": "7776000s"}),
        (
            "google_kms_crypto_key.signing",
            "not_applicable",
            {"name": "signing", "rotation_period": None, "purpose": "ASYMMETRIC_SIGN"},
        ),
        (
            "google_kms_crypto_key.elsewhere",
            "not_applicable",
            {"name": "elsewhere", "version_template": [{"protection_level": "EXTERNAL"}]},
        ),
    ),
    case(
        "key_rotation",
        "unknown_google",
        ("google_kms_crypto_key.data", "unknown", {"name": "data", "rotation_period": UNKNOWN}),
        (
            "google_kms_crypto_key.which",
            "unknown",
            {"name": "which", "purpose": UNKNOWN, "rotation_period": None},
        ),
    ),
    case(
        "cluster_endpoint_private",
        "fail_google",
        (
            "google_container_cluster.main",
            "fail",
            cluster(master_authorized_networks_config=[{"cidr_blocks": [{"cidr_block": "0.0.0.0/0"}]}]),
        ),
        (
            "google_container_cluster.by_name",
            "fail",
            cluster(
                private_cluster_config=[{"enable_private_endpoint": True}],
                control_plane_endpoints_config=[{"dns_endpoint_config": [{"allow_external_traffic": True}]}],
            ),
        ),
    ),
    case(
        "cluster_endpoint_private",
        "pass_google",
        (
            "google_container_cluster.main",
            "pass",
            cluster(
                private_cluster_config=[{"enable_private_endpoint": True}],
                control_plane_endpoints_config=NO_DNS,
            ),
        ),
        (
            "google_container_cluster.named",
            "pass",
            cluster(master_authorized_networks_config=NAMED_NETWORK, control_plane_endpoints_config=NO_DNS),
        ),
        (
            "google_container_cluster.older_provider",
            "pass",
            {
                "name": "older",
                "location": "europe-west1",
                "private_cluster_config": [{"enable_private_endpoint": True}],
            },
        ),
    ),
    case("cluster_endpoint_private", "absent_google", ("google_container_cluster.main", "fail", cluster())),
    case(
        "cluster_endpoint_private",
        "unknown_google",
        (
            "google_container_cluster.main",
            "unknown",
            cluster(private_cluster_config=UNKNOWN, control_plane_endpoints_config=NO_DNS),
        ),
        (
            "google_container_cluster.endpoints",
            "unknown",
            cluster(private_cluster_config=[{"enable_private_endpoint": True}]),
        ),
    ),
    case(
        "required_tags",
        "fail_google",
        ("google_compute_instance.web", "fail", machine(INTERNAL, labels={"team": "payments"})),
        ("google_storage_bucket.records", "pass", bucket(labels={"owner": "payments"})),
        ("google_container_cluster.main", "pass", cluster(resource_labels={"owner": "payments"})),
        ("google_sql_database_instance.main", "pass", sql([{"user_labels": {"owner": "payments"}}])),
        ("google_compute_network.main", "not_applicable", NETWORK),
        settings={"tags": {"owner": []}},
    ),
    case(
        "allowed_regions",
        "fail_google",
        ("google_compute_disk.data", "fail", {"name": "data", "zone": "us-central1-a"}),
        ("google_compute_instance.web", "pass", machine(INTERNAL)),
        ("google_compute_subnetwork.main", "pass", {"name": "main", "region": COMPUTED}),
        ("google_compute_network.main", "not_applicable", NETWORK),
        ("google_storage_bucket.records", "fail", bucket(location="US")),
        ("google_redis_instance.main", "unknown", {"name": "main", "region": UNKNOWN}),
        settings={"regions": ["europe-*"]},
        provider={"region": "europe-west1"},
    ),
)
