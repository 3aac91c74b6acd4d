# METADATA
# title: Networks log which traffic was refused
# description: >-
#   Flow logs are the only record of who tried to reach what, and where data went. They cannot be made afterwards.
#   A flow log of a subnet or of accepted traffic alone is not counted.
# related_resources:
#   - ref: https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-6
#     description: "EC2.6, with what it maps to in aws-fsbp-1.0, cis-aws-3.0, nist-800-53-r5 and pci-dss-3.2.1"
#   - ref: https://github.com/prowler-cloud/prowler/blob/master/prowler/compliance/aws/soc2_aws.json
#     description: "Maps the same check to soc-2"
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/flow_log
# custom:
#   id: vpc-flow-logs
#   severity: medium
#   enforcement: advisory
#   types: [aws_vpc]
#   remediation: Add an aws_flow_log with this vpc_id, and traffic_type ALL or REJECT.
#   frameworks:
#     aws-fsbp-1.0: [EC2.6]
#     cis-aws-3.0: ["3.7"]
#     nist-800-53-r5: [AC-4(26), AU-2, AU-3, AU-6(3), AU-6(4), AU-12, CA-7, SI-7(8)]
#     pci-dss-3.2.1: [10.3.3, 10.3.4, 10.3.5, 10.3.6]
#     soc-2: [CC7.2, CC7.3]
package policies.logging.vpc_flow_logs

import data.plangate.lib

deny contains lib.finding(network, "no flow log of this plan records its refused traffic") if {
	some network in lib.of_type("aws_vpc")
	not network.address in logged
	not network.address in perhaps_logged
	count(strays) == 0
}

undetermined contains lib.finding(network, message) if {
	some network in lib.of_type("aws_vpc")
	not network.address in logged
	network.address in perhaps_logged
	message := "whether a flow log records its refused traffic is known only after apply"
}

undetermined contains lib.finding(network, message) if {
	some network in lib.of_type("aws_vpc")
	not network.address in logged
	not network.address in perhaps_logged
	message := sprintf("%v is of a network that could not be followed", [min(strays)])
}

# Addresses of the networks that a flow log is of for certain: it refers to them, or names them by their id.
networks_of(flow) := {network.address | some network in lib.references_at(flow, "/vpc_id")} | named(flow)

named(flow) := {address | some address in by_id[flow.after.vpc_id]}

by_id[network.after.id] contains network.address if {
	some network in lib.of_type("aws_vpc")
	is_string(network.after.id)
}

logged contains address if {
	some flow in lib.of_type("aws_flow_log")
	flow.after.traffic_type in {"ALL", "REJECT"}
	some address in networks_of(flow)
}

perhaps_logged contains address if {
	some flow in lib.of_type("aws_flow_log")
	lib.is_unknown(flow, "/traffic_type")
	some address in networks_of(flow)
}

perhaps_logged contains network.address if {
	some flow in lib.of_type("aws_flow_log")
	some network in lib.may_reference_at(flow, "/vpc_id")
}

strays contains flow.address if {
	some flow in lib.of_type("aws_flow_log")
	lib.is_unresolved(flow, {"/vpc_id"})
}
