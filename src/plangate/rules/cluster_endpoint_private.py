"""The internet cannot reach the API of Kubernetes clusters."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.rules.base import NO_SETTINGS, Rule, Settings, Verdict, must_be


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return must_be(
        resource,
        "public_endpoint",
        wanted=False,
        no="its API can be reached from the whole internet, which is the default when nothing else is said",
        unsure="who can reach its API is known only after apply",
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="cluster-endpoint-private",
        title="The internet cannot reach the API of Kubernetes clusters",
        description="The API endpoint is private, or open to named networks only.",
        severity=Severity.HIGH,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("kubernetes.cluster",),
        remediation="Set endpoint_public_access to false, or name networks in public_access_cidrs. Azure: set "
        "private_cluster_enabled to true, or authorized_ip_ranges. Google: set enable_private_endpoint to true, or "
        "name networks in master_authorized_networks_config.",
        frameworks=(("cis-eks-1.5", ("5.4.1", "5.4.2")), ("aws-fsbp-1.0", ("EKS.1",))),
    ),
    judge=_judge,
    rationale="The API of a cluster is its root account. Left alone, it is public for 0.0.0.0/0.",
    bad="""
resource "aws_eks_cluster" "main" {
  name     = "main"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids = aws_subnet.private[*].id
  }
}
""",
    good="""
resource "aws_eks_cluster" "main" {
  name     = "main"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids              = aws_subnet.private[*].id
    endpoint_private_access = true
    endpoint_public_access  = false
  }
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/eks_cluster#vpc_config",
        "https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/kubernetes_cluster",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/container_cluster",
    ),
    settings_schema=NO_SETTINGS,
)
