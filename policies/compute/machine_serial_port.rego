# METADATA
# title: Nobody logs in to machines of Google over their serial port
# description: >-
#   The serial console is reached from the whole internet, whatever the firewall says: addresses cannot be limited
#   there. Whoever has a key of the machine gets in.
# related_resources:
#   - ref: https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-using-serial-console
#   - ref: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_instance
#   - ref: https://github.com/prowler-cloud/prowler/tree/master/prowler/compliance/gcp
#     description: What maps it to the frameworks (compute_instance_serial_ports_in_use).
# custom:
#   id: machine-serial-port
#   severity: medium
#   enforcement: overridable
#   types:
#     - google_compute_instance
#     - google_compute_instance_template
#     - google_compute_project_metadata
#     - google_compute_project_metadata_item
#     - google_compute_region_instance_template
#   remediation: Take serial-port-enable out of the metadata, or set it to FALSE.
#   frameworks:
#     cis-gcp-3.0: ["4.5"]
#     soc-2: [CC6.6]
package policies.compute.machine_serial_port

import data.plangate.lib

holders := {
	"google_compute_instance",
	"google_compute_instance_template",
	"google_compute_project_metadata",
	"google_compute_region_instance_template",
}

# What is not clearly no counts as yes.
no := {"", "0", "FALSE", "False", "N", "No", "false", "n", "no", false, null, 0}

deny contains lib.finding_at(holder, message, "/metadata/serial-port-enable") if {
	some type in holders
	some holder in lib.of_type(type)
	value := holder.after.metadata["serial-port-enable"]
	not value in no
	message := "it lets people log in over the serial port"
}

deny contains lib.finding_at(item, "it lets people log in to machines over the serial port", "/value") if {
	some item in lib.of_type("google_compute_project_metadata_item")
	item.after.key == "serial-port-enable"
	value := item.after.value
	not value in no
}
