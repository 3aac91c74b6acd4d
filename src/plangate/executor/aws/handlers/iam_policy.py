"""Policies of their own: those that are written into roles, and those that are attached to them.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html, API_CreatePolicy.html and
API_CreatePolicyVersion.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.arguments import present
from plangate.executor.aws.base import REF, BaseHandler, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, code_of, is_gone
from plangate.executor.aws.iam_names import policy_tag, role_tags
from plangate.executor.aws.names import generated_name
from plangate.executor.aws.policy_text import policy_object, policy_text, same_policy
from plangate.executor.aws.tags import as_mapping, marks_of, wanted_tags

_LIMIT: Final = 128
_VERSIONS: Final = 5
"""Versions of a policy that IAM keeps."""


class Policy(BaseHandler):
    """``AWS::IAM::Policy``: a policy written into roles; known by its name and theirs.

    Users and groups are not supported: they cannot carry the mark that tells this policy from their own.
    """

    type: ClassVar[str] = "AWS::IAM::Policy"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "create": frozenset({"iam:TagRole"}),
        "read": frozenset({"iam:GetRolePolicy", "iam:ListRoleTags"}),
        "update": frozenset({"iam:TagRole", "iam:UntagRole"}),
        "delete": frozenset({"iam:UntagRole"}),
    }
    supported: ClassVar[frozenset[str]] = frozenset({"PolicyDocument", "PolicyName", "Roles"})
    updatable: ClassVar[frozenset[str]] = frozenset({"PolicyDocument"})
    defaults: ClassVar[Properties] = {}
    names: ClassVar[frozenset[str]] = frozenset({"PolicyName"})
    part_of: ClassVar[str] = "Roles"
    whole: ClassVar[str] = "AWS::IAM::Role"
    key: ClassVar[frozenset[str]] = frozenset({"PolicyName", "Roles"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for each role."""
        found = ((name, self._found(aws, name)) for name in identifiers)
        return {name: each for name, each in found if each is not None}

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """Two calls for each role: its tag first, then the policy.

        Raises:
            ExecutionError: There are no roles, or one has a policy of this name already.
        """
        name, roles = str(properties["PolicyName"]), _roles(properties)
        client = aws.client("iam")
        for role in roles:
            tags = role_tags(aws, role) or {}
            if tags.get(policy_tag(name)) != mark.token and _document(aws, role, name) is not None:
                raise ExecutionError(
                    f"the role {role} has a policy named {name} already", hint="choose another PolicyName"
                )
        for role in roles:
            client.tag_role(RoleName=role, Tags=[{"Key": policy_tag(name), "Value": mark.token}])
            client.put_role_policy(
                RoleName=role, PolicyName=name, PolicyDocument=policy_text(properties["PolicyDocument"])
            )
        return _identifier(name, roles)

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By the tags of its roles; if one lacks it, the creation did not come to its end, and is done again."""
        name, roles = str(properties["PolicyName"]), _roles(properties)
        made = all(
            (role_tags(aws, role) or {}).get(policy_tag(name)) == mark.token
            and _document(aws, role, name) is not None
            for role in roles
        )
        return _identifier(name, roles) if made else None

    def within(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:  # noqa: ARG002
        """What has this name in these roles, each of which says that it is another resource's and not its own."""
        name, roles = str(properties["PolicyName"]), _roles(properties)
        said = all(policy_tag(name) in (role_tags(aws, role) or {}) for role in roles)
        return _identifier(name, roles) if said else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call for each role."""
        if "PolicyDocument" in changed:
            name, roles = _parts(found.identifier)
            for role in roles:
                aws.client("iam").put_role_policy(
                    RoleName=role, PolicyName=name, PolicyDocument=policy_text(properties["PolicyDocument"])
                )

    def delete(self, aws: Aws, found: Found) -> None:
        """Two calls for each role: the policy first, then its tag."""
        client = aws.client("iam")
        name, roles = _parts(found.identifier)
        for role in roles:
            quietly_gone(client.delete_role_policy, RoleName=role, PolicyName=name)
            quietly_gone(client.untag_role, RoleName=role, TagKeys=[policy_tag(name)])

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Policies by their meaning."""
        return same_policy(wanted, actual) if name == "PolicyDocument" else None

    @staticmethod
    def _found(aws: Aws, identifier: str) -> Found | None:
        name, roles = _parts(identifier)
        documents = {role: _document(aws, role, name) for role in roles}
        present_in = [role for role in roles if documents[role] is not None]
        if not present_in:
            return None
        first = documents[present_in[0]]
        # Changed by hand in one of its roles: that is the one to tell.
        other = (documents[role] for role in present_in if not same_policy(documents[role], first))
        return Found(
            identifier=identifier,
            properties={
                "PolicyName": name,
                "PolicyDocument": _both(first, next(other, None)),
                "Roles": present_in,
            },
            attributes={REF: name, "Id": identifier},
        )


class ManagedPolicy(BaseHandler):
    """``AWS::IAM::ManagedPolicy``: it carries our marks, though its type has no tags in templates.

    Users and groups are not supported, as for `Policy`. Roles that attach it by themselves are their own business.
    """

    type: ClassVar[str] = "AWS::IAM::ManagedPolicy"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "create": frozenset({"iam:TagRole"}),
        "read": frozenset({"iam:ListPolicies", "iam:ListPolicyTags", "iam:ListRoleTags"}),
        "update": frozenset({"iam:TagRole", "iam:UntagRole"}),
        "delete": frozenset({"iam:UntagRole"}),
    }
    supported: ClassVar[frozenset[str]] = frozenset({
        "Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles",
    })  # fmt: skip
    updatable: ClassVar[frozenset[str]] = frozenset({"PolicyDocument", "Roles"})
    defaults: ClassVar[Properties] = {"Roles": []}
    volatile: ClassVar[frozenset[str]] = frozenset({
        "AttachmentCount", "DefaultVersionId", "PermissionsBoundaryUsageCount", "UpdateDate",
    })  # fmt: skip
    names: ClassVar[frozenset[str]] = frozenset({"ManagedPolicyName"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """Three calls for each, and one for each role that it is attached to."""
        found = ((arn, self._found(aws, arn)) for arn in identifiers)
        return {arn: each for arn, each in found if each is not None}

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By the tags of each policy of the account."""
        arns = [str(item["Arn"]) for item in aws.pages("iam", "list_policies", "Policies", Scope="Local")]
        mine = [arn for arn in arns if owner.tags.items() <= _policy_tags(aws, arn).items()]
        return list(self.read(aws, mine).values())

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call; its roles follow as an update."""
        given = {"Path": properties.get("Path"), "Description": properties.get("Description")}
        made = aws.client("iam").create_policy(
            PolicyName=_name_of(properties, mark),
            PolicyDocument=policy_text(properties["PolicyDocument"]),
            Tags=wanted_tags({}, mark),
            **present(given),
        )
        return str(made["Policy"]["Arn"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """By path and name, when it carries the token."""
        path = str(properties.get("Path") or "/")
        partition = aws.client("iam").meta.partition
        arn = f"arn:{partition}:iam::{aws.account}:policy{path}{_name_of(properties, mark)}"
        return arn if mark.matches(_policy_tags(aws, arn)) else None

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """A new version, after room was made for it; two calls for each role."""
        if "PolicyDocument" in changed:
            self._new_version(aws, found.identifier, properties["PolicyDocument"])
        if "Roles" in changed:
            wanted = [str(role) for role in properties.get("Roles", ())]
            for role in found.properties.get("Roles", ()):
                if role not in wanted:
                    _detach(aws, role, found.identifier)
            for role in wanted:
                tag = {"Key": policy_tag(found.identifier), "Value": role}
                aws.client("iam").tag_role(RoleName=role, Tags=[tag])
                aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=found.identifier)

    def delete(self, aws: Aws, found: Found) -> None:
        """Out of its roles, its versions, and then itself.

        Raises:
            ExecutionError: Others use it.
        """
        client, arn = aws.client("iam"), found.identifier
        try:
            for role in found.properties.get("Roles", ()):
                _detach(aws, role, arn)
            for version in _versions(aws, arn):
                if not version["IsDefaultVersion"]:
                    quietly_gone(client.delete_policy_version, PolicyArn=arn, VersionId=version["VersionId"])
            client.delete_policy(PolicyArn=arn)
        except Exception as error:
            if code_of(error) == "DeleteConflict":
                raise ExecutionError(
                    f"the policy {arn} is not deleted: others use it",
                    hint="detach it from the users, groups and roles that are not of this stack",
                ) from error
            if not is_gone(error):
                raise

    def same(self, name: str, wanted: Any, actual: Any) -> bool | None:
        """Policies by their meaning."""
        return same_policy(wanted, actual) if name == "PolicyDocument" else None

    @staticmethod
    def _new_version(aws: Aws, arn: str, document: Any) -> None:
        client = aws.client("iam")
        versions = _versions(aws, arn)
        default = next(each["VersionId"] for each in versions if each["IsDefaultVersion"])
        now = client.get_policy_version(PolicyArn=arn, VersionId=default)["PolicyVersion"]["Document"]
        if same_policy(document, now):
            return
        old = sorted(
            (each for each in versions if not each["IsDefaultVersion"]), key=lambda each: each["CreateDate"]
        )
        if len(versions) >= _VERSIONS:
            client.delete_policy_version(PolicyArn=arn, VersionId=old[0]["VersionId"])
        client.create_policy_version(PolicyArn=arn, PolicyDocument=policy_text(document), SetAsDefault=True)

    @staticmethod
    def _found(aws: Aws, arn: str) -> Found | None:
        client = aws.client("iam")
        try:
            said = client.get_policy(PolicyArn=arn)["Policy"]
            version = client.get_policy_version(PolicyArn=arn, VersionId=said["DefaultVersionId"])
            users = aws.pages(
                "iam", "list_entities_for_policy", "PolicyRoles", PolicyArn=arn, EntityFilter="Role"
            )
        except Exception as error:
            if is_gone(error):
                return None
            raise
        roles = sorted(str(each["RoleName"]) for each in users)
        return Found(
            identifier=arn,
            properties={
                **present({"Description": said.get("Description")}),
                "ManagedPolicyName": said["PolicyName"],
                "Path": said["Path"],
                "PolicyDocument": policy_object(version["PolicyVersion"]["Document"]),
                "Roles": [role for role in roles if policy_tag(arn) in (role_tags(aws, role) or {})],
            },
            attributes={
                REF: arn,
                "PolicyArn": arn,
                "PolicyId": said["PolicyId"],
                "AttachmentCount": said.get("AttachmentCount", 0),
                "CreateDate": said["CreateDate"].isoformat(),
                "DefaultVersionId": said["DefaultVersionId"],
                "IsAttachable": said.get("IsAttachable", True),
                "PermissionsBoundaryUsageCount": said.get("PermissionsBoundaryUsageCount", 0),
                "UpdateDate": said["UpdateDate"].isoformat(),
            },
            marks=marks_of(_policy_tags(aws, arn)),
        )


def quietly_gone(call: Any, **arguments: Any) -> None:
    """A removal for which it is fine that there is nothing to remove."""
    try:
        call(**arguments)
    except Exception as error:
        if not is_gone(error):
            raise


def _name_of(properties: Properties, mark: Mark) -> str:
    return str(properties.get("ManagedPolicyName") or generated_name(mark, _LIMIT))


def _roles(properties: Properties) -> list[str]:
    roles = sorted(str(role) for role in properties.get("Roles", ()))
    if not roles:
        raise ExecutionError(
            f"the policy {properties['PolicyName']} has no roles",
            hint="name one under Roles: users and groups are not supported",
        )
    return roles


def _identifier(name: str, roles: Sequence[str]) -> str:
    return "|".join((name, *roles))


def _parts(identifier: str) -> tuple[str, list[str]]:
    name, *roles = identifier.split("|")
    return name, roles


def _document(aws: Aws, role: str, policy: str) -> Any:
    try:
        said = aws.client("iam").get_role_policy(RoleName=role, PolicyName=policy)
    except Exception as error:
        if is_gone(error):
            return None
        raise
    return policy_object(said["PolicyDocument"])


def _both(first: Any, other: Any) -> Any:
    """What two documents allow together."""
    if other is None:
        return first
    statements = [
        statement
        for document in (first, other)
        for statement in (
            document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        )
    ]
    return {**first, "Statement": statements}


def _policy_tags(aws: Aws, arn: str) -> dict[str, str]:
    try:
        return as_mapping(aws.pages("iam", "list_policy_tags", "Tags", PolicyArn=arn))
    except Exception as error:
        if is_gone(error):
            return {}
        raise


def _versions(aws: Aws, arn: str) -> list[Any]:
    return aws.pages("iam", "list_policy_versions", "Versions", PolicyArn=arn)


def _detach(aws: Aws, role: str, arn: str) -> None:
    quietly_gone(aws.client("iam").detach_role_policy, RoleName=role, PolicyArn=arn)
    quietly_gone(aws.client("iam").untag_role, RoleName=role, TagKeys=[policy_tag(arn)])


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (Policy(), ManagedPolicy())}
