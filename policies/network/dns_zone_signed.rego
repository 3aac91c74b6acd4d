# METADATA
# title: Public DNS zones of Google are signed
# description: >-
#   Without DNSSEC nobody can tell an answer of the zone from a forged one, which leads its users to somebody else's
#   machines.
# related_resources:
#   - ref: https://cloud.google.com/dns/docs/dnssec
#   - ref: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/dns_managed_zone
#   - ref: https://github.com/prowler-cloud/prowler/tree/master/prowler/compliance/gcp
#     description: What maps it to the frameworks (dns_dnssec_disabled).
# custom:
#   id: dns-zone-signed
#   severity: medium
#   enforcement: overridable
#   types: [google_dns_managed_zone]
#   remediation: "Write dnssec_config { state = \"on\" } and give the keys to the registrar of the domain."
#   frameworks:
#     cis-gcp-3.0: ["3.3"]
#     soc-2: [CC6.7]
package policies.network.dns_zone_signed

import data.plangate.lib

setting := "/dnssec_config/0/state"

# Left out, it is off.
deny contains lib.finding_at(zone, "its answers are not signed", setting) if {
	some zone in lib.of_type("google_dns_managed_zone")
	not is_private(zone)
	not is_signed(zone)
	not is_open(zone)
}

undetermined contains lib.finding_at(zone, message, setting) if {
	some zone in lib.of_type("google_dns_managed_zone")
	not is_private(zone)
	not is_signed(zone)
	is_open(zone)
	message := "whether it is public and unsigned is known only after apply: set visibility and dnssec_config"
}

# Left out, or null, a zone is public.
is_private(zone) if zone.after.visibility == "private"

is_signed(zone) if {
	some config in lib.items(zone.after.dnssec_config)
	config.state in {"on", "transfer"}
}

is_open(zone) if lib.is_unknown(zone, setting)

is_open(zone) if lib.is_unknown(zone, "/visibility")
