"""Permissions do not allow everything."""

from typing import Final

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.model.plan import Resource
from plangate.rules.base import NO_SETTINGS, Rule, Settings, Verdict, must_be


def _judge(resource: Resource, _settings: Settings) -> Verdict:
    return must_be(
        resource,
        "full_admin",
        wanted=False,
        no="it allows everything, or all of IAM on all resources, which amounts to everything",
        unsure="what it allows is not known: its text is known only after apply, cannot be read, or is not "
        "in this plan",
    )


RULE: Final = Rule(
    spec=RuleSpec(
        id="iam-no-full-admin",
        title="Permissions do not allow everything",
        description="No policy or role, and no attachment of a ready-made one, gives all actions on all resources.",
        severity=Severity.CRITICAL,
        enforcement=Enforcement.MANDATORY,
        on_unknown=OnUnknown.OBLIGE,
        kinds=("iam.policy",),
        remediation="Name the actions and resources that are needed.",
        frameworks=(("cis-aws-3.0", ("1.16",)), ("aws-fsbp-1.0", ("IAM.1", "IAM.21"))),
    ),
    judge=_judge,
    rationale="Whoever has a credential with all permissions has the account. All of IAM on all resources "
    "is the same: its holder can give itself the rest. Wildcards are read as IAM reads them (*, *:*, "
    "iam:*, i*, ?*), statements add up, Allow with NotAction is all that it does not exclude, and a "
    "condition does not make it less. A Deny is not counted against it. The text of a policy that is "
    "attached by name and not in the plan cannot be judged. With Azure it is the role Owner, or one that gives "
    "roles, over a subscription or management group; with Google the basic roles owner and editor, or one that "
    "sets the policy of a project, folder or organization.",
    bad="""
resource "aws_iam_policy" "deploy" {
  name = "deploy"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
  })
}
""",
    good="""
resource "aws_iam_policy" "deploy" {
  name = "deploy"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = "arn:aws:s3:::example-releases/*"
    }]
  })
}
""",
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_policy",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role_policy_attachment",
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html",
        "https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/role_assignment",
        "https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged",
        "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam",
        "https://cloud.google.com/iam/docs/roles-overview",
    ),
    settings_schema=NO_SETTINGS,
)
