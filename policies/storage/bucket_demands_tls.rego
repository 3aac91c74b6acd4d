# METADATA
# title: Buckets refuse requests without TLS
# description: >-
#   S3 answers plain HTTP unless the policy of the bucket denies it. Then data and signed links cross the network in
#   clear, and nobody is told. The deprecated attribute policy of a bucket does not count: it shows what was there before.
# related_resources:
#   - ref: https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-5
#     description: "S3.5, with what it maps to in aws-fsbp-1.0, cis-aws-3.0, nist-800-53-r5 and pci-dss-3.2.1"
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html#example-bucket-policies-HTTP-HTTPS
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_policy
# custom:
#   id: bucket-demands-tls
#   severity: medium
#   enforcement: advisory
#   types: [aws_s3_bucket]
#   remediation: >-
#     Add a statement to the bucket's policy that denies s3:* to everyone on the bucket and its objects where
#     aws:SecureTransport is false.
#   frameworks:
#     aws-fsbp-1.0: [S3.5]
#     cis-aws-3.0: [2.1.1]
#     nist-800-53-r5: [AC-4, AC-17(2), SC-8, SC-8(1), SC-8(2), SC-13, SC-23, SI-7(6)]
#     pci-dss-3.2.1: ["4.1"]
package policies.storage.bucket_demands_tls

import data.plangate.lib

deny contains lib.finding(bucket, "no policy in this plan denies requests to it without TLS") if {
	some bucket in lib.of_type("aws_s3_bucket")
	not bucket.address in safe
	not bucket.address in perhaps_safe
	count(strays) == 0
}

undetermined contains lib.finding(bucket, "whether its policy denies requests without TLS is known only after apply") if {
	some bucket in lib.of_type("aws_s3_bucket")
	not bucket.address in safe
	bucket.address in perhaps_safe
}

undetermined contains lib.finding(bucket, message) if {
	some bucket in lib.of_type("aws_s3_bucket")
	not bucket.address in safe
	not bucket.address in perhaps_safe
	message := sprintf("%v is of a bucket that could not be followed", [min(strays)])
}

# Addresses of the buckets that a policy is of for certain.
buckets_of(policy) := {bucket.address | some bucket in lib.references_at(policy, "/bucket")} | named(policy)

named(policy) := {address | some address in by_name[policy.after.bucket]}

by_name[bucket.after.bucket] contains bucket.address if {
	some bucket in lib.of_type("aws_s3_bucket")
	is_string(bucket.after.bucket)
}

safe contains address if {
	some policy in lib.of_type("aws_s3_bucket_policy")
	demands_tls(policy)
	some address in buckets_of(policy)
}

perhaps_safe contains address if {
	some policy in lib.of_type("aws_s3_bucket_policy")
	lib.is_unknown(policy, "/policy")
	some address in buckets_of(policy)
}

perhaps_safe contains bucket.address if {
	some policy in lib.of_type("aws_s3_bucket_policy")
	some bucket in lib.may_reference_at(policy, "/bucket")
}

strays contains policy.address if {
	some policy in lib.of_type("aws_s3_bucket_policy")
	lib.is_unresolved(policy, {"/bucket"})
}

demands_tls(policy) if {
	some statement in lib.statements(policy.after.policy)
	statement.Effect == "Deny"
	lib.is_for_everyone(statement)
	some action in lib.one_or_many(statement.Action)
	action in {"*", "s3:*"}
	some target in lib.one_or_many(statement.Resource)
	is_string(target)
	endswith(target, "*")
	is_without_tls(statement.Condition)
}

# This condition and no other: a second one would let some requests through.
is_without_tls(condition) if {
	some value in ["false", ["false"], false, [false]]
	some key in ["aws:SecureTransport", "aws:securetransport", "AWS:SecureTransport"]
	condition == {"Bool": {key: value}}
}
