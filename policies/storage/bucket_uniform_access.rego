# METADATA
# title: Buckets of Google have one way to give access
# description: >-
#   With access lists on single objects nobody can say who may read a bucket without looking at each of them, and an
#   object may be public in a bucket that is not. Uniform access leaves the permissions of the bucket as the only way.
# related_resources:
#   - ref: https://cloud.google.com/storage/docs/uniform-bucket-level-access
#   - ref: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/storage_bucket
#   - ref: https://github.com/prowler-cloud/prowler/tree/master/prowler/compliance/gcp
#     description: What maps it to the frameworks (cloudstorage_bucket_uniform_bucket_level_access).
# custom:
#   id: bucket-uniform-access
#   severity: medium
#   enforcement: overridable
#   types: [google_storage_bucket]
#   remediation: Set uniform_bucket_level_access to true.
#   frameworks:
#     cis-gcp-3.0: ["5.2"]
package policies.storage.bucket_uniform_access

import data.plangate.lib

# Left out, or null, it is off.
deny contains lib.finding_at(bucket, "single objects may have access lists", "/uniform_bucket_level_access") if {
	some bucket in lib.of_type("google_storage_bucket")
	not is_on(bucket)
	not lib.is_unknown(bucket, "/uniform_bucket_level_access")
}

# A plan does not know the default: an organization may turn it on for its buckets.
undetermined contains lib.finding_at(bucket, message, "/uniform_bucket_level_access") if {
	some bucket in lib.of_type("google_storage_bucket")
	lib.is_unknown(bucket, "/uniform_bucket_level_access")
	message := "whether single objects may have access lists is known only after apply: set it"
}

# Source may have a text where a plan has true or false.
is_on(bucket) if bucket.after.uniform_bucket_level_access in {"true", true}
