"""Permissions of Google: roles of our own, and who is given which role on a project, a folder or an organization.

Full administration is what the basic roles ``owner`` and ``editor`` give (an editor may act as any service account),
and what the right to set the policy of a project, a folder or an organization amounts to.

Source: https://cloud.google.com/iam/docs/roles-overview#basic
"""

from typing import Any, Final

from plangate.facts.base import GOOGLE, Adapter, Native, Raw, native_of, texts
from plangate.facts.google_members import GIVERS, bindings
from plangate.model.values import UNKNOWN, Tri, Unknown, any_of

_CUSTOM_ROLES: Final = ("google_project_iam_custom_role", "google_organization_iam_custom_role")
_FULL_ROLES: Final = frozenset({
    "roles/owner", "roles/editor", "roles/admin", "roles/writer", "roles/iam.securityadmin",
    "roles/resourcemanager.projectiamadmin", "roles/resourcemanager.folderiamadmin",
    "roles/resourcemanager.folderadmin", "roles/resourcemanager.organizationadmin",
})  # fmt: skip
_FULL_PERMISSIONS: Final = frozenset({
    "resourcemanager.projects.setiampolicy", "resourcemanager.folders.setiampolicy",
    "resourcemanager.organizations.setiampolicy",
})  # fmt: skip


def _giver(native: Native) -> dict[str, Any]:
    """A role given to one or more. A condition does not make it less.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam
    """
    return {"full_admin": _role_is_full(native), "statements": ()}


def _role_is_full(native: Native) -> Tri:
    """Whether the role lets its holder do everything. One made by this plan is judged where it stands."""
    role = native.values.get("role")
    if isinstance(role, str) and role.strip().startswith("roles/"):
        return _is_full(role)
    links = native.graph.targets(native.resource, "/role", _CUSTOM_ROLES)
    if links.all and not links.outside:
        return any_of(
            False if found.mode == "managed" else _permits_everything(native_of(found, native.graph))
            for found in links.all
        )
    return UNKNOWN


def _is_full(role: str) -> Tri:
    name = role.strip().lower()
    return name in _FULL_ROLES if name.startswith("roles/") else UNKNOWN


def _policy(native: Native) -> dict[str, Any]:
    """All roles that are given on something, as one document.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/data-sources/iam_policy
    """
    listed = bindings(native.values.get("policy_data"))
    if listed is UNKNOWN:
        return {"full_admin": UNKNOWN, "statements": ()}
    return {"full_admin": any_of(_is_full(role) for role, members in listed if members), "statements": ()}


def _custom_role(native: Native) -> dict[str, Any]:
    """A role of our own; its permissions have no wildcards.

    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam_custom_role
    """
    return {
        "full_admin": _permits_everything(native),
        "statements": _statements(native.values.get("permissions")),
    }


def _permits_everything(role: Native) -> Tri:
    listed = texts(role.values.get("permissions"))
    if listed is UNKNOWN:
        return UNKNOWN
    return any_of(
        UNKNOWN if name is UNKNOWN else name.strip().lower() in _FULL_PERMISSIONS for name in listed
    )


def _statements(permissions: Raw) -> tuple[dict[str, Any], ...] | Unknown:
    listed = texts(permissions)
    if listed is UNKNOWN:
        return UNKNOWN
    return (
        {
            "effect": "allow",
            "actions": listed,
            "not_actions": (),
            "resources": ("*",),
            "not_resources": (),
            "conditions": False,
        },
    )


ADAPTERS: Final = {
    f"google_{place}_iam_{giver}": Adapter(
        kind="iam.policy", adapt=_policy if giver == "policy" else _giver, docs=f"{GOOGLE}google_{place}_iam"
    )
    for place in ("project", "folder", "organization")
    for giver in GIVERS
} | {name: Adapter(kind="iam.policy", adapt=_custom_role, docs=GOOGLE + name) for name in _CUSTOM_ROLES}
