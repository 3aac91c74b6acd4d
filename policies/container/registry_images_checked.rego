# METADATA
# title: ECR repositories scan images, and do not let a tag move
# description: >-
#   A scan finds the known holes before an image runs. It is worth something only if the tag that was scanned is the one
#   that is started: where tags can move, somebody else's image can take its place.
# related_resources:
#   - ref: https://docs.aws.amazon.com/securityhub/latest/userguide/ecr-controls.html
#     description: "ECR.1 and ECR.2, with what they map to in aws-fsbp-1.0 and nist-800-53-r5"
#   - ref: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ecr_repository
# custom:
#   id: registry-images-checked
#   severity: medium
#   enforcement: advisory
#   types: [aws_ecr_repository, "AWS::ECR::Repository", "aws:ecr/repository:Repository"]
#   remediation: >-
#     Set image_tag_mutability to IMMUTABLE and image_scanning_configuration.scan_on_push to true. Where the registry as
#     a whole is set to scan, waive this rule for the repository.
#   frameworks:
#     aws-fsbp-1.0: [ECR.1, ECR.2]
#     nist-800-53-r5: [CA-9(1), CM-2, CM-8(1), RA-5]
package policies.container.registry_images_checked

import data.plangate.lib

repositories := ["AWS::ECR::Repository", "aws:ecr/repository:Repository", "aws_ecr_repository"]

deny contains lib.finding(repository, "a tag can be moved to another image") if {
	some type in repositories
	some repository in lib.of_type(type)
	repository.facts.immutable_tags == false
}

deny contains lib.finding(repository, "images are not scanned when they are pushed") if {
	some type in repositories
	some repository in lib.of_type(type)
	repository.facts.scan_on_push == false
}
