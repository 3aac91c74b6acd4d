# METADATA
# title: CloudFront speaks TLS to viewers, and none of its broken versions to origins
# description: >-
#   Where plain HTTP is allowed, what a viewer sends and gets can be read and changed on the way. SSL 3.0 towards the
#   origin amounts to the same: it has been broken since 2014.
# related_resources:
#   - ref: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudfront-controls.html
#     description: "CloudFront.3 and CloudFront.10, with what they map to in aws-fsbp-1.0 and nist-800-53-r5"
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudfront_distribution
# custom:
#   id: cdn-tls
#   severity: medium
#   enforcement: overridable
#   types: [aws_cloudfront_distribution]
#   remediation: >-
#     Set viewer_protocol_policy of each cache behavior to redirect-to-https or https-only, and take SSLv3 out of
#     origin_ssl_protocols.
#   frameworks:
#     aws-fsbp-1.0: [CloudFront.3, CloudFront.10]
#     nist-800-53-r5: [AC-4, AC-17(2), IA-5(1), SC-8, SC-8(1), SC-8(2), SC-13, SC-23, SI-7(6)]
package policies.network.cdn_tls

import data.plangate.lib

# The provider demands these attributes, so what is not there is not known yet.
accepted := {"https-only", "redirect-to-https"}

deny contains lib.finding_at(distribution, "viewers may use plain HTTP", path) if {
	some distribution in lib.of_type("aws_cloudfront_distribution")
	some index, behavior in lib.items(distribution.after.default_cache_behavior)
	protocol := behavior.viewer_protocol_policy
	not protocol in accepted
	path := sprintf("/default_cache_behavior/%v/viewer_protocol_policy", [index])
}

deny contains lib.finding_at(distribution, message, path) if {
	some distribution in lib.of_type("aws_cloudfront_distribution")
	some index, behavior in lib.items(distribution.after.ordered_cache_behavior)
	protocol := behavior.viewer_protocol_policy
	not protocol in accepted
	path := sprintf("/ordered_cache_behavior/%v/viewer_protocol_policy", [index])
	message := sprintf("viewers may use plain HTTP for paths of behavior %v", [index])
}

deny contains lib.finding_at(distribution, "it may speak SSL 3.0 to this origin", path) if {
	some distribution in lib.of_type("aws_cloudfront_distribution")
	some index, origin in lib.items(distribution.after.origin)
	some config in lib.items(origin.custom_origin_config)
	"SSLv3" in lib.items(config.origin_ssl_protocols)
	path := sprintf("/origin/%v/custom_origin_config/0/origin_ssl_protocols", [index])
}
