# METADATA
# title: EKS clusters keep the audit log of their API
# description: >-
#   The audit log alone says who asked the cluster for what. It is off unless it is asked for, and what was not recorded
#   cannot be had afterwards.
# related_resources:
#   - ref: https://docs.aws.amazon.com/securityhub/latest/userguide/eks-controls.html#eks-8
#     description: "EKS.8, with what it maps to in aws-fsbp-1.0"
#   - ref: https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
#   - ref: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/eks_cluster#enabled_cluster_log_types
# custom:
#   id: cluster-audit-logs
#   severity: medium
#   enforcement: overridable
#   types: [aws_eks_cluster]
#   remediation: Add audit, and what else the settings ask for, to enabled_cluster_log_types.
#   settings:
#     log_types:
#       description: Logs of the control plane that must be kept.
#       type: array
#       minItems: 1
#       uniqueItems: true
#       items: {enum: [api, audit, authenticator, controllerManager, scheduler]}
#       default: [audit]
#   frameworks:
#     aws-fsbp-1.0: [EKS.8]
package policies.container.cluster_audit_logs

import data.plangate.lib

deny contains lib.finding_at(cluster, message, "/enabled_cluster_log_types") if {
	some cluster in lib.of_type("aws_eks_cluster")
	not lib.is_unknown(cluster, "/enabled_cluster_log_types")
	missing := wanted - kept(cluster)
	count(missing) > 0
	message := sprintf("it does not keep these logs: %v", [concat(", ", sort(missing))])
}

undetermined contains lib.finding_at(cluster, message, "/enabled_cluster_log_types") if {
	some cluster in lib.of_type("aws_eks_cluster")
	lib.is_unknown(cluster, "/enabled_cluster_log_types")
	missing := wanted - kept(cluster)
	count(missing) > 0
	message := sprintf("whether it keeps these logs is known only after apply: %v", [concat(", ", sort(missing))])
}

wanted := {log | some log in data.plangate.settings.cluster_audit_logs.log_types}

kept(cluster) := {log | some log in lib.items(cluster.after.enabled_cluster_log_types)}
