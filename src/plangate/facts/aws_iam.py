"""Permissions of AWS identities: policies of their own or inside identities, and attachments of ready-made ones."""

from typing import Any, Final

from plangate.facts.base import REGISTRY, Adapter, Native, Raw, native_of, texts
from plangate.facts.policy_documents import Statement, described, document_statements, grants_full_admin
from plangate.model.values import UNKNOWN, Tri, Unknown, any_of, pointer

_MANAGED_BY_AWS: Final = ":iam::aws:policy/"
_FULL: Final = frozenset({"administratoraccess", "iamfullaccess"})
"""Policies of AWS that allow everything, or everything in IAM, which amounts to the same."""

Statements = tuple[Statement, ...] | Unknown


def _policy(native: Native) -> dict[str, Any]:
    listed = _document(native.values.get("policy", native.values.get("inline_policy")))
    return {"full_admin": grants_full_admin(listed), "statements": described(listed)}


def _document(value: Raw) -> Statements:
    return document_statements(value)


def _attachment(native: Native) -> dict[str, Any]:
    """An attachment gives what the policy allows that it names.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    name = "managed_policy_arn" if "managed_policy_arn" in native.values else "policy_arn"
    return {"full_admin": _named(native, native.values.get(name), pointer(name)), "statements": ()}


def _attachments(native: Native) -> dict[str, Any]:
    return {
        "full_admin": _all_named(native, "policy_arns", native.values.get("policy_arns", UNKNOWN)),
        "statements": (),
    }


def _role(native: Native) -> dict[str, Any]:
    """A role with the policies written into it.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role
    """
    inline = native.blocks("inline_policy")
    if inline is UNKNOWN:
        listed: Statements = UNKNOWN
        own: Tri = UNKNOWN
    else:
        # A block without a name and policy is how a role says that it has none.
        documents = [
            _document(block.get("policy")) for block in inline if block.get("policy") not in (None, "")
        ]
        own = any_of(grants_full_admin(document) for document in documents)
        listed = _joined(documents)
    return {
        "full_admin": any_of(
            [own, _all_named(native, "managed_policy_arns", native.setting("managed_policy_arns"))]
        ),
        "statements": described(listed),
    }


def _joined(documents: list[Statements]) -> Statements:
    found: tuple[Statement, ...] = ()
    for document in documents:
        if document is UNKNOWN:
            return UNKNOWN
        found += document
    return found


def _all_named(native: Native, name: str, value: Raw) -> Tri:
    listed = texts(value)
    if listed is UNKNOWN:
        return UNKNOWN
    # Item by item: an unknown one may point at a policy of the plan beside ready-made ones.
    return any_of(
        _named(native, item, pointer(name) if isinstance(value, str) else pointer(name, index))
        for index, item in enumerate(listed)
    )


def _named(native: Native, arn: Raw, at: str) -> Tri:
    """Whether the policy with this ARN gives everything. One made by this plan is judged where it stands."""
    if isinstance(arn, str) and _MANAGED_BY_AWS in arn.lower():
        return arn.rpartition("/")[2].lower() in _FULL
    links = native.graph.targets(native.resource, at, ("aws_iam_policy",))
    if links.outside or not links.all:
        return UNKNOWN
    return any_of(
        False
        if policy.mode == "managed"
        else grants_full_admin(_document(native_of(policy, native.graph).values.get("policy")))
        for policy in links.all
    )


ADAPTERS: Final = {
    f"aws_{page}": Adapter(kind="iam.policy", adapt=adapt, docs=REGISTRY + page)
    for page, adapt in {
        "iam_policy": _policy,
        "iam_role_policy": _policy,
        "iam_user_policy": _policy,
        "iam_group_policy": _policy,
        "ssoadmin_permission_set_inline_policy": _policy,
        "iam_policy_attachment": _attachment,
        "iam_role_policy_attachment": _attachment,
        "iam_user_policy_attachment": _attachment,
        "iam_group_policy_attachment": _attachment,
        "ssoadmin_managed_policy_attachment": _attachment,
        "iam_role_policy_attachments_exclusive": _attachments,
        "iam_user_policy_attachments_exclusive": _attachments,
        "iam_group_policy_attachments_exclusive": _attachments,
        "iam_role": _role,
    }.items()
}
