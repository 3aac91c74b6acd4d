# METADATA
# title: Trails of CloudTrail record every region, sealed and encrypted
# description: >-
#   Who is in an account works where nobody looks: in a region that is not recorded, or on the log files themselves. A
#   trail that covers every region, whose files are validated and encrypted with a key of yours, takes both away.
# related_resources:
#   - ref: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudtrail-controls.html
#     description: "CloudTrail.1, .2 and .4, with what they map to in aws-fsbp-1.0, cis-aws-3.0, nist-800-53-r5 and pci-dss-3.2.1"
#   - ref: https://github.com/prowler-cloud/prowler/blob/master/prowler/compliance/aws/soc2_aws.json
#     description: "Maps the same checks to soc-2"
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudtrail
# custom:
#   id: trail-complete
#   severity: high
#   enforcement: overridable
#   types: [aws_cloudtrail]
#   remediation: >-
#     Set is_multi_region_trail and enable_log_file_validation to true and kms_key_id to a key; leave enable_logging on.
#   frameworks:
#     aws-fsbp-1.0: [CloudTrail.1, CloudTrail.2, CloudTrail.4]
#     cis-aws-3.0: ["3.1", "3.2", "3.5"]
#     nist-800-53-r5: [AU-2, AU-3, AU-9, AU-10, AU-12, SC-28, SI-4, SI-7(1)]
#     pci-dss-3.2.1: ["3.4", 10.5.2, 10.5.5]
#     soc-2: [CC2.1, CC7.2, CC7.3]
package policies.logging.trail_complete

import data.plangate.lib

# All of these are false where they are left out.
switches := {
	"enable_log_file_validation": "a log file that was changed is not noticed: log file validation is off",
	"is_multi_region_trail": "it records one region only",
}

deny contains lib.finding_at(trail, message, concat("", ["/", name])) if {
	some trail in lib.of_type("aws_cloudtrail")
	some name, message in switches
	lib.is_off(trail, name)
}

deny contains lib.finding_at(trail, "its log files are not encrypted with a key of yours", "/kms_key_id") if {
	some trail in lib.of_type("aws_cloudtrail")
	lib.is_empty(trail, "kms_key_id")
}

# Left out, it is on.
deny contains lib.finding_at(trail, "it records nothing: logging is off", "/enable_logging") if {
	some trail in lib.of_type("aws_cloudtrail")
	trail.after.enable_logging == false
}

undetermined contains lib.finding_at(trail, message, concat("", ["/", name])) if {
	some trail in lib.of_type("aws_cloudtrail")
	some name in ["enable_log_file_validation", "enable_logging", "is_multi_region_trail", "kms_key_id"]
	lib.is_unknown(trail, concat("", ["/", name]))
	message := sprintf("%v is known only after apply", [name])
}
