"""Listeners of load balancers.

Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html and
API_ModifyListener.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from plangate.executor.aws.base import REF, BaseHandler, Found, Handler, Mark, Owner, Properties
from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.handlers import elbv2
from plangate.executor.aws.tags import marks_of, template_tags, wanted_tags

_LISTED: Final = ("describe_listeners", "Listeners")
_CHANGED_IN_PLACE: Final = ("AlpnPolicy", "Certificates", "DefaultActions", "Port", "Protocol", "SslPolicy")


class Listener(BaseHandler):
    """``AWS::ElasticLoadBalancingV2::Listener``."""

    type: ClassVar[str] = "AWS::ElasticLoadBalancingV2::Listener"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "read": frozenset({"elasticloadbalancing:DescribeLoadBalancers"}),
    }
    supported: ClassVar[frozenset[str]] = frozenset({*_CHANGED_IN_PLACE, "LoadBalancerArn", "Tags"})
    updatable: ClassVar[frozenset[str]] = frozenset({*_CHANGED_IN_PLACE, "Tags"})

    def read(self, aws: Aws, identifiers: Sequence[str]) -> Mapping[str, Found]:
        """One call for twenty, and one for their tags."""
        return self._all(aws, elbv2.described(aws, *_LISTED, "ListenerArns", identifiers))

    def owned(self, aws: Aws, owner: Owner) -> Sequence[Found]:
        """By tags, over the listeners of every load balancer: a stack may add one to another's."""
        balancers = aws.pages("elbv2", "describe_load_balancers", "LoadBalancers")
        items = [item for each in balancers for item in self._of(aws, str(each["LoadBalancerArn"]))]
        found = self._all(aws, items)
        return [each for each in found.values() if owner.tags.items() <= each.marks.items()]

    def create(self, aws: Aws, properties: Properties, mark: Mark) -> str:
        """One call."""
        made = elbv2.call(
            aws,
            "CreateListener",
            LoadBalancerArn=properties["LoadBalancerArn"],
            Tags=wanted_tags(properties, mark),
            **{name: properties[name] for name in _CHANGED_IN_PLACE if name in properties},
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def find(self, aws: Aws, properties: Properties, mark: Mark) -> str | None:
        """The one of this load balancer that carries the mark."""
        items = self._of(aws, str(properties["LoadBalancerArn"]))
        return elbv2.with_mark(aws, [str(item["ListenerArn"]) for item in items], mark)

    def update(self, aws: Aws, found: Found, properties: Properties, changed: frozenset[str]) -> None:
        """One call, and those for tags. What encryption needs goes along with the protocol: AWS wants them together."""
        if changed & frozenset(_CHANGED_IN_PLACE):
            asked = {name: properties[name] for name in _CHANGED_IN_PLACE if name in properties}
            elbv2.call(aws, "ModifyListener", ListenerArn=found.identifier, **asked)
        if "Tags" in changed:
            elbv2.retag(aws, found, properties)

    def delete(self, aws: Aws, found: Found) -> None:
        """One call."""
        elbv2.quietly_gone(aws, "DeleteListener", ListenerArn=found.identifier)

    def clashes(self, before: Properties, after: Properties) -> bool:
        """Whether both listen on the same port of the same load balancer."""
        return all(before.get(name) == after.get(name) for name in ("LoadBalancerArn", "Port"))

    def _all(self, aws: Aws, items: Sequence[Mapping[str, Any]]) -> dict[str, Found]:
        tags = elbv2.tags_of(aws, [str(item["ListenerArn"]) for item in items])
        found = [self._found(item, tags.get(str(item["ListenerArn"]), [])) for item in items]
        return {each.identifier: each for each in found}

    @staticmethod
    def _of(aws: Aws, balancer: str) -> list[Any]:
        try:
            return aws.pages("elbv2", *_LISTED, LoadBalancerArn=balancer)
        except Exception as error:
            if is_gone(error):
                return []
            raise

    @staticmethod
    def _found(item: Mapping[str, Any], tags: Sequence[Any]) -> Found:
        arn = str(item["ListenerArn"])
        told = {
            name: item[name]
            for name in ("AlpnPolicy", "DefaultActions", "LoadBalancerArn", "Port", "Protocol", "SslPolicy")
            if item.get(name)
        }
        certificates = [
            {"CertificateArn": each["CertificateArn"]}
            for each in item.get("Certificates") or ()
            if each.get("CertificateArn")
        ]
        return Found(
            identifier=arn,
            properties={
                **told,
                **({"Certificates": certificates} if certificates else {}),
                "Tags": template_tags(tags),
            },
            attributes={REF: arn, "ListenerArn": arn},
            marks=marks_of(tags),
        )


HANDLERS: Final[Mapping[str, Handler]] = {each.type: each for each in (Listener(),)}
