"""Roles, and the profiles that give them to instances.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html, API_GetRole.html,
API_CreateInstanceProfile.html and those of a role's policies
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.arguments import fitting, present
from plangate.executor.aws.base import REF, BaseHandler, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, code_of, is_gone
from plangate.executor.aws.iam_names import own_tags, policy_tag, role_tags
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.policy_text import policy_object, policy_text, same_policy
from plangate.executor.aws.tags import changed_tags, marks_of, template_tags, wanted_tags

_ROLE_LIMIT: Final = 64
_PROFILE_LIMIT: Final = 128
_HOUR_S: Final = 3600
_OF_AWS: Final = "/aws-service-role/"
"""Path of the roles that services make for themselves."""


class Role(BaseHandler):
    """``AWS::IAM::Role``.

    Policies that were put on it by hand are taken away again. A boundary that was set by hand stays when the template
    has none. A role that others use, by a profile or by policies of their own, is not deleted.
    """

    type: ClassVar[str] = "AWS::IAM::Role"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "read": frozenset({"iam:ListRoleTags", "iam:ListRoles"}),
    }
    supported: ClassVar[frozenset[str]] = frozenset({
        "AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "Path",
        "PermissionsBoundary", "Policies", "RoleName", "Tags",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = supported - {"Path", "RoleName"}
    defaults: ClassVar[Properties] = {
        "Description": "",
        "ManagedPolicyArns": [],
        "MaxSessionDuration": _HOUR_S,
        "Policies": [],
        "Tags": [],
    }
    names: ClassVar[frozenset[str]] = frozenset({"RoleName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """Three calls for each, and one for each policy that is written into it."""
        found = ((name, self._found(aws, name)) for name in identifiers)
        return {name: each for name, each in found if each is not None}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By the tags of each role: no list of roles has them, nor has the index of tags roles."""
        names = [
            str(item["RoleName"])
            for item in aws.pages("iam", "list_roles", "Roles")
            if not str(item["Path"]).startswith(_OF_AWS)
        ]
        tags = owner.tags.items()
        return list(
            self.read(aws, [name for name in names if tags <= (role_tags(aws, name) or {}).items()]).values()
        )

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call; its policies follow as an update, so it can do nothing at first."""
        client = aws.client("iam")
        given = {
            name: properties[name]
            for name in ("Description", "MaxSessionDuration", "Path", "PermissionsBoundary")
            if name in properties
        }
        name = _role_of(properties, mark)
        client.create_role(
            **fitting(client, "CreateRole", present(given)),
            RoleName=name,
            AssumeRolePolicyDocument=policy_text(properties["AssumeRolePolicyDocument"]),
            Tags=wanted_tags(properties, mark),
        )
        return name

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By name, when it carries the token."""
        name = _role_of(properties, mark)
        return name if mark.matches(role_tags(aws, name) or {}) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for each; what takes rights away comes before what gives some."""
        client, name = aws.client("iam"), found.identifier
        wanted = {**self.defaults, **properties}
        if "PermissionsBoundary" in changed:
            client.put_role_permissions_boundary(
                RoleName=name, PermissionsBoundary=str(wanted["PermissionsBoundary"])
            )
        if "AssumeRolePolicyDocument" in changed:
            client.update_assume_role_policy(
                RoleName=name, PolicyDocument=policy_text(wanted["AssumeRolePolicyDocument"])
            )
        if "ManagedPolicyArns" in changed:
            _attach(aws, found, [str(arn) for arn in wanted["ManagedPolicyArns"]])
        if "Policies" in changed:
            _write(aws, found, wanted["Policies"])
        if changed & {"Description", "MaxSessionDuration"}:
            given = {
                "RoleName": name,
                "Description": wanted["Description"],
                "MaxSessionDuration": wanted["MaxSessionDuration"],
            }
            client.update_role(**fitting(client, "UpdateRole", given))
        if "Tags" in changed:
            put, gone = changed_tags(found.properties.get("Tags"), properties.get("Tags"))
            if put:
                client.tag_role(RoleName=name, Tags=put)
            if gone:
                client.untag_role(RoleName=name, TagKeys=gone)

    def delete(self, aws: Aws, found: Found) -> None:
        """Its own policies, and then itself.

        Raises:
            ExecutionError: Others use it.
        """
        try:
            _attach(aws, found, [])
            _write(aws, found, [])
            aws.client("iam").delete_role(RoleName=found.identifier)
        except Exception as error:
            if code_of(error) == "DeleteConflict":
                raise ExecutionError(
                    f"the role {found.identifier} is not deleted: others use it",
                    hint="take it out of the profiles, and detach the policies, that are not of this stack",
                ) from error
            if not is_gone(error):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Policies by name and meaning."""
        if name == "AssumeRolePolicyDocument":
            return same_policy(wanted, actual)
        if name == "Policies":
            mine, theirs = _by_name(wanted), _by_name(actual)
            return set(mine) == set(theirs) and all(same_policy(mine[each], theirs[each]) for each in mine)
        return None

    @staticmethod
    def _found(aws: Aws, name: str) -> Found | None:
        client = aws.client("iam")
        try:
            said = client.get_role(RoleName=name)["Role"]
            tags = role_tags(aws, name)
            if tags is None:
                return None
            written = [
                each
                for each in aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=name)
                if policy_tag(each) not in tags
            ]
            policies = [
                {
                    "PolicyName": each,
                    "PolicyDocument": policy_object(
                        client.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
                    ),
                }
                for each in sorted(written)
            ]
            attached = aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        except Exception as error:
            if is_gone(error):
                return None
            raise
        arns = sorted(str(each["PolicyArn"]) for each in attached)
        return Found(
            identifier=name,
            properties={
                "AssumeRolePolicyDocument": policy_object(said["AssumeRolePolicyDocument"]),
                "ManagedPolicyArns": [arn for arn in arns if policy_tag(arn) not in tags],
                "Policies": policies,
                **present(
                    {
                        "Description": said.get("Description"),
                        "MaxSessionDuration": said.get("MaxSessionDuration"),
                        "Path": said["Path"],
                        "PermissionsBoundary": (said.get("PermissionsBoundary") or {}).get(
                            "PermissionsBoundaryArn"
                        ),
                    }
                ),
                "RoleName": name,
                "Tags": template_tags(own_tags(tags)),
            },
            attributes={REF: name, "Arn": said["Arn"], "RoleId": said["RoleId"]},
            marks=marks_of(tags),
        )


class InstanceProfile(BaseHandler):
    """``AWS::IAM::InstanceProfile``: it carries our marks, though its type has no tags in templates."""

    type: ClassVar[str] = "AWS::IAM::InstanceProfile"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {"read": frozenset({"iam:ListInstanceProfiles"})}
    supported: ClassVar[frozenset[str]] = frozenset({"InstanceProfileName", "Path", "Roles"})
    updatable: ClassVar[frozenset[str]] = frozenset({"Roles"})
    defaults: ClassVar[Properties] = {}
    names: ClassVar[frozenset[str]] = frozenset({"InstanceProfileName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call each."""
        found: dict[str, Found] = {}
        for name in identifiers:
            try:
                said = aws.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
            except Exception as error:
                if is_gone(error):
                    continue
                raise
            found[name] = Found(
                identifier=name,
                properties={
                    "InstanceProfileName": name,
                    "Path": said["Path"],
                    "Roles": [str(role["RoleName"]) for role in said["Roles"]],
                },
                attributes={REF: name, "Arn": said["Arn"]},
                marks=marks_of(said.get("Tags")),
            )
        return found

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By the tags of each."""
        listed = aws.pages("iam", "list_instance_profiles", "InstanceProfiles")
        found = self.read(aws, [str(item["InstanceProfileName"]) for item in listed])
        return [each for each in found.values() if owner.tags.items() <= each.marks.items()]

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call; its role follows as an update."""
        name = _profile_of(properties, mark)
        aws.client("iam").create_instance_profile(
            InstanceProfileName=name,
            Tags=wanted_tags({}, mark),
            **present({"Path": properties.get("Path")}),
        )
        return name

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By name, when it carries the token."""
        name = _profile_of(properties, mark)
        found = self.read(aws, [name]).get(name)
        return name if found is not None and mark.matches(found.marks) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call to take a role out, one to put one in: IAM takes one role at most."""
        if "Roles" not in changed:
            return
        now = self.read(aws, [found.identifier]).get(found.identifier, found).properties["Roles"]
        client = aws.client("iam")
        for role in now:
            if role not in properties["Roles"]:
                client.remove_role_from_instance_profile(InstanceProfileName=found.identifier, RoleName=role)
        for role in properties["Roles"]:
            if role not in now:
                client.add_role_to_instance_profile(InstanceProfileName=found.identifier, RoleName=role)

    def delete(self, aws: Aws, found: Found) -> None:
        """Its role comes out of it first."""
        client = aws.client("iam")
        try:
            for role in found.properties["Roles"]:
                _quietly(
                    client.remove_role_from_instance_profile,
                    InstanceProfileName=found.identifier,
                    RoleName=role,
                )
            client.delete_instance_profile(InstanceProfileName=found.identifier)
        except Exception as error:
            if not is_gone(error):
                raise


def _role_of(properties: Properties, mark: Mark) -> str:
    return str(properties.get("RoleName") or generated_name(mark, _ROLE_LIMIT))


def _profile_of(properties: Properties, mark: Mark) -> str:
    return str(properties.get("InstanceProfileName") or generated_name(mark, _PROFILE_LIMIT))


def _by_name(policies: Any) -> dict[str, Any]:
    return {str(each["PolicyName"]): each["PolicyDocument"] for each in policies}


def _attach(aws: Aws, found: Found, arns: Sequence[str]) -> None:
    """Bring the policies that are attached to a role to these."""
    client = aws.client("iam")
    for arn in found.properties.get("ManagedPolicyArns", ()):
        if arn not in arns:
            _quietly(client.detach_role_policy, RoleName=found.identifier, PolicyArn=arn)
    for arn in arns:
        client.attach_role_policy(RoleName=found.identifier, PolicyArn=arn)


def _write(aws: Aws, found: Found, policies: Any) -> None:
    """Bring the policies that are written into a role to these."""
    client = aws.client("iam")
    wanted = _by_name(policies)
    for name in _by_name(found.properties.get("Policies", ())):
        if name not in wanted:
            _quietly(client.delete_role_policy, RoleName=found.identifier, PolicyName=name)
    for name, document in wanted.items():
        client.put_role_policy(
            RoleName=found.identifier, PolicyName=name, PolicyDocument=policy_text(document)
        )


def _quietly(call: Any, **arguments: Any) -> None:
    """A removal for which it is fine that there is nothing to remove."""
    try:
        call(**arguments)
    except Exception as error:
        if not is_gone(error):
            raise


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (Role(), InstanceProfile())}
