"""Permissions of Azure: roles of our own, and who is given which role where.

Full administration is what the role ``Owner`` gives over a whole subscription or management group: everything, or the
right to give roles, which amounts to it. The same role over one resource group is not. ``Contributor`` may do
everything but that.

Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged
"""

import re
from typing import Any, Final

from plangate.facts.base import AZURE, Adapter, Native, Raw, blocks_in, has_text, native_of, text, texts
from plangate.facts.policy_documents import matches
from plangate.model.address import steps
from plangate.model.graph import references_at
from plangate.model.values import UNKNOWN, Tri, Unknown, all_of, any_of, negate

_DEFINITION: Final = "azurerm_role_definition"
_FULL_NAMES: Final = frozenset(
    {"owner", "user access administrator", "role based access control administrator"}
)
_FULL_IDS: Final = frozenset({
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
})  # fmt: skip
_LESSER_IDS: Final = frozenset(
    {"b24988ac-6180-42a0-ab88-20f7382dd24c", "acdd72a7-3385-48ef-bd42-f606fba81ae7"}
)
"""Contributor and Reader. Of any other id, a plan does not say which role it is."""

_GIVES_ROLES: Final = "microsoft.authorization/roleassignments/write"
_BROAD_TYPES: Final = frozenset({"azurerm_subscription", "azurerm_management_group"})
_BROAD: Final = re.compile(
    r"/?|/subscriptions/[^/]+/?|/providers/microsoft\.management/managementgroups/[^/]+/?", re.IGNORECASE
)
_NARROW: Final = re.compile(r"/subscriptions/[^/]+/[^/]+/.+", re.IGNORECASE)


def _assignment(native: Native) -> dict[str, Any]:
    """A role given to someone. A condition does not make it less.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/role_assignment
    """
    return {
        "full_admin": all_of(
            [_role_is_full(native), _is_broad(native, native.values.get("scope"), "/scope")]
        ),
        "statements": (),
    }


def _role_is_full(native: Native) -> Tri:
    """Whether the role that is given lets its holder do everything. One made by this plan is judged where it stands."""
    name = text(native.setting("role_definition_name"))
    if name is UNKNOWN:
        return UNKNOWN
    if name:
        # The provider looks it up among the ready-made roles.
        return str(name).strip().lower() in _FULL_NAMES
    links = native.graph.targets(native.resource, "/role_definition_id", (_DEFINITION,))
    if links.all and not links.outside:
        return any_of(
            False if role.mode == "managed" else _gives_everything(native_of(role, native.graph))
            for role in links.all
        )
    given = native.values.get("role_definition_id")
    if not has_text(given):
        return UNKNOWN
    identifier = str(given).rpartition("/")[2].lower()
    return True if identifier in _FULL_IDS else False if identifier in _LESSER_IDS else UNKNOWN


def _is_broad(native: Native, scope: Raw, at: str) -> Tri:
    """Whether a scope is a whole subscription or more."""
    if isinstance(scope, str):
        given = scope.strip()
        return True if _BROAD.fullmatch(given) else False if _NARROW.fullmatch(given) else UNKNOWN
    if not isinstance(scope, Unknown) or any(path.startswith(at) for path in native.resource.unresolved):
        return UNKNOWN
    # The id of something that this plan makes: what is not a subscription or a management group is less than one.
    references = references_at(native.resource, at)
    types = {_type_at(reference.address) for reference in references if reference.attribute == "id"}
    if not references or "" in types or any(reference.attribute != "id" for reference in references):
        return UNKNOWN
    return bool(types & _BROAD_TYPES)


def _type_at(address: str) -> str:
    """The native type in an address; empty for text that is none."""
    parts = steps(address)
    names = parts[-1][0].split(".") if parts else []
    return names[-2] if len(names) > 1 and names[0] != "module" else ""


def _definition(native: Native) -> dict[str, Any]:
    """A role of our own, and where it may be given.

    Source: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/role_definition
    """
    scopes = texts(native.setting("assignable_scopes"))
    if scopes is UNKNOWN:
        broad: Tri = _is_broad(native, UNKNOWN, "/assignable_scopes")
    else:
        broad = any_of(_is_broad(native, scope, "/assignable_scopes") for scope in scopes)
    own = _is_broad(native, native.values.get("scope"), "/scope")
    return {
        "full_admin": all_of([_gives_everything(native), any_of([own, broad])]),
        "statements": _statements(native),
    }


def _gives_everything(role: Native) -> Tri:
    """Whether a role may give roles, as ``*`` may as well."""
    blocks = role.blocks("permissions")
    if blocks is UNKNOWN:
        return UNKNOWN
    return any_of(
        all_of([_names(block.get("actions")), negate(_names(block.get("not_actions")))]) for block in blocks
    )


def _names(actions: Raw) -> Tri:
    listed = texts(actions)
    if listed is UNKNOWN:
        return UNKNOWN
    return any_of(UNKNOWN if item is UNKNOWN else matches(item.lower(), _GIVES_ROLES) for item in listed)


def _statements(role: Native) -> tuple[dict[str, Any], ...] | Unknown:
    blocks = blocks_in(role.values.get("permissions"))
    if blocks is UNKNOWN:
        return UNKNOWN
    found = []
    for block in blocks:
        actions, excepted = texts(block.get("actions")), texts(block.get("not_actions"))
        if actions is UNKNOWN or excepted is UNKNOWN:
            return UNKNOWN
        found.append(
            {
                "effect": "allow",
                "actions": actions,
                "not_actions": excepted,
                "resources": ("*",),
                "not_resources": (),
                "conditions": False,
            }
        )
    return tuple(found)


ADAPTERS: Final = {
    _DEFINITION: Adapter(kind="iam.policy", adapt=_definition, docs=AZURE + "role_definition"),
    **{
        f"azurerm_{page}": Adapter(kind="iam.policy", adapt=_assignment, docs=AZURE + page)
        for page in ("role_assignment", "pim_active_role_assignment", "pim_eligible_role_assignment")
    },
}
