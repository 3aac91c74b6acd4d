# METADATA
# title: Load balancers keep a log of who called
# description: >-
#   The access log says which client asked for what and when, also where the application itself was broken into and its
#   own log cannot be trusted.
# related_resources:
#   - ref: https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-5
#     description: "ELB.5, with what it maps to in aws-fsbp-1.0 and nist-800-53-r5"
#   - ref: https://github.com/prowler-cloud/prowler/blob/master/prowler/compliance/aws/soc2_aws.json
#     description: "Maps the same check to soc-2"
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lb#access_logs
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elb#access_logs
# custom:
#   id: load-balancer-access-logs
#   severity: medium
#   enforcement: advisory
#   types: [aws_alb, aws_elb, aws_lb]
#   remediation: Add an access_logs block with a bucket, and enabled = true.
#   frameworks:
#     aws-fsbp-1.0: [ELB.5]
#     nist-800-53-r5: [AC-4(26), AU-2, AU-3, AU-6(3), AU-6(4), AU-10, AU-12, CA-7, SC-7(9), SI-7(8)]
#     soc-2: [CC7.2, CC7.3]
package policies.logging.load_balancer_access_logs

import data.plangate.lib

deny contains lib.finding_at(balancer, "it keeps no access log", "/access_logs") if {
	some type in ["aws_alb", "aws_elb", "aws_lb"]
	some balancer in lib.of_type(type)
	may_log(balancer)
	not lib.is_unknown(balancer, "/access_logs")
	not lib.is_unknown(balancer, "/load_balancer_type")
	not logs(balancer)
}

undetermined contains lib.finding_at(balancer, message, path) if {
	some type in ["aws_alb", "aws_elb", "aws_lb"]
	some balancer in lib.of_type(type)
	may_log(balancer)
	not logs(balancer)
	some path in ["/access_logs", "/load_balancer_type"]
	lib.is_unknown(balancer, path)
	message := "whether it keeps an access log is known only after apply"
}

# Network and gateway load balancers have no log of requests. Left out, the type is application.
may_log(balancer) if {
	not balancer.after.load_balancer_type == "network"
	not balancer.after.load_balancer_type == "gateway"
}

# Left out, `enabled` is false, and true for a classic load balancer.
logs(balancer) if {
	some block in lib.items(balancer.after.access_logs)
	block.enabled == true
}

logs(balancer) if {
	balancer.type == "aws_elb"
	not lib.is_unknown(balancer, "/access_logs")
	some block in lib.items(balancer.after.access_logs)
	not block.enabled == false
}
