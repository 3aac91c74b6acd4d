# ruff: noqa: ARG002 - the signatures are the framework's
"""A double of the provider ``hashicorp/aws``, for tests: volumes and buckets of an account that moto serves.

Terraform runs it as a program of its own, made by `tests.aws_provider_mirror`, and it speaks the real plugin protocol.
It is no AWS provider: what is not here is not checked. What a resource's tag ``double`` says, it does:

- ``fails``: nothing is made, and an error is told.
- ``taints``: it is made, and then an error is told, as when a resource never becomes ready.
- ``hangs``: it is made, and the answer does not come for ten minutes, also when terraform asks to stop.
- ``waits``: it is made, and the answer comes some seconds later.
- ``dies``: it is made, and the provider's program ends without an answer.
- ``opens``: it is made otherwise than asked: not encrypted.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

from tf import runner
from tf.iface import (
    CreateContext,
    DeleteContext,
    PlanContext,
    Provider,
    ReadContext,
    Resource,
    UpdateContext,
)
from tf.schema import Attribute, Schema
from tf.types import Bool, Map, Number, String, Unknown
from tf.utils import Diagnostics

NAME: Final = "registry.terraform.io/hashicorp/aws"
HANGS_S: Final = 600.0
WAITS_S: Final = 8.0
_CREDENTIALS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class Double(Provider):  # type: ignore[misc]  # tf has no types
    """The provider."""

    def get_model_prefix(self) -> str:
        return "aws_"

    def full_name(self) -> str:
        return NAME

    def get_provider_schema(self, diags: Diagnostics) -> Schema:
        return Schema(attributes=[Attribute("region", String(), optional=True)])

    def validate_config(self, diags: Diagnostics, config: dict[str, Any]) -> None:
        """Anything goes."""

    def configure_provider(self, diags: Diagnostics, config: dict[str, Any]) -> None:
        if any(name not in os.environ for name in _CREDENTIALS):
            diags.add_error(
                "No valid credential sources found", "The double takes them from the environment."
            )

    def get_data_sources(self) -> list[Any]:
        return []

    def get_resources(self) -> list[Any]:
        return [Volume, Bucket]


class _Tagged(Resource):  # type: ignore[misc]  # tf has no types
    """What both have in common."""

    def __init__(self, provider: Double) -> None:
        self.provider = provider

    def read(self, ctx: ReadContext, current: dict[str, Any]) -> dict[str, Any] | None:
        raise NotImplementedError

    def plan(
        self, ctx: PlanContext, current: dict[str, Any] | None, planned: dict[str, Any]
    ) -> dict[str, Any]:
        return planned

    def update(
        self, ctx: UpdateContext, current: dict[str, Any], planned: dict[str, Any]
    ) -> dict[str, Any] | None:
        return self._known(ctx, {**current, **{k: v for k, v in planned.items() if v is not Unknown}})

    def _behave(self, ctx: CreateContext, wanted: dict[str, Any]) -> None:
        behaviour = (wanted.get("tags") or {}).get("double")
        if behaviour == "taints":
            ctx.diagnostics.add_error("It was made, and never became ready")
        elif behaviour == "hangs":
            time.sleep(HANGS_S)
        elif behaviour == "waits":
            time.sleep(WAITS_S)
        elif behaviour == "dies":
            os._exit(1)

    def _known(self, ctx: Any, state: dict[str, Any]) -> dict[str, Any] | None:
        return self.read(ctx, state)


class Volume(_Tagged):
    """``aws_ebs_volume``."""

    @classmethod
    def get_name(cls) -> str:
        return "ebs_volume"

    @classmethod
    def get_schema(cls) -> Schema:
        return Schema(
            attributes=[
                Attribute("id", String(), computed=True),
                Attribute("availability_zone", String(), required=True, requires_replace=True),
                Attribute("size", Number(), optional=True, computed=True),
                Attribute("encrypted", Bool(), optional=True, computed=True, requires_replace=True),
                Attribute("tags", Map(String()), optional=True),
            ]
        )

    def create(self, ctx: CreateContext, planned: dict[str, Any]) -> dict[str, Any] | None:
        tags = planned.get("tags") or {}
        if tags.get("double") == "fails":
            ctx.diagnostics.add_error("It was not made")
            return None
        encrypted = planned["encrypted"] if planned["encrypted"] is not Unknown else False
        asked = {
            "AvailabilityZone": planned["availability_zone"],
            "Size": 1 if planned["size"] is Unknown else int(planned["size"]),
            "Encrypted": "true" if encrypted and tags.get("double") != "opens" else "false",
        }
        if tags:
            asked["TagSpecification.1.ResourceType"] = "volume"
        for number, (key, value) in enumerate(tags.items(), 1):
            asked[f"TagSpecification.1.Tag.{number}.Key"] = key
            asked[f"TagSpecification.1.Tag.{number}.Value"] = value
        made = _ec2("CreateVolume", **asked)
        self._behave(ctx, planned)
        return self.read(
            ReadContext(ctx.diagnostics, ctx.type_name), {**planned, "id": made.findtext("volumeId")}
        )

    def read(self, ctx: ReadContext, current: dict[str, Any]) -> dict[str, Any] | None:
        try:
            (found,) = _ec2("DescribeVolumes", **{"VolumeId.1": current["id"]}).findall("volumeSet/item")
        except (HTTPError, ValueError):
            return None
        tags = {tag.findtext("key"): tag.findtext("value") for tag in found.findall("tagSet/item")}
        return {
            **current,
            "availability_zone": found.findtext("availabilityZone"),
            "size": int(found.findtext("size", "")),
            "encrypted": found.findtext("encrypted") == "true",
            "tags": tags or current.get("tags"),
        }

    def delete(self, ctx: DeleteContext, current: dict[str, Any]) -> None:
        _ec2("DeleteVolume", VolumeId=current["id"])


class Bucket(_Tagged):
    """``aws_s3_bucket``."""

    @classmethod
    def get_name(cls) -> str:
        return "s3_bucket"

    @classmethod
    def get_schema(cls) -> Schema:
        return Schema(
            attributes=[
                Attribute("id", String(), computed=True),
                Attribute("bucket", String(), required=True, requires_replace=True),
                Attribute("tags", Map(String()), optional=True),
            ]
        )

    def create(self, ctx: CreateContext, planned: dict[str, Any]) -> dict[str, Any] | None:
        _s3("PUT", planned["bucket"])
        self._behave(ctx, planned)
        return {**planned, "id": planned["bucket"]}

    def read(self, ctx: ReadContext, current: dict[str, Any]) -> dict[str, Any] | None:
        try:
            _s3("HEAD", current["id"])
        except HTTPError:
            return None
        return current

    def delete(self, ctx: DeleteContext, current: dict[str, Any]) -> None:
        _s3("DELETE", current["id"])


def _ec2(action: str, **parameters: Any) -> ET.Element:
    """A call in EC2's own protocol. boto3 takes longer to load than all that a started provider does."""
    body = urlencode({"Action": action, "Version": "2016-11-15", **parameters})
    answer = ET.fromstring(_asked("POST", "", "ec2", body.encode()))  # noqa: S314 - what moto says
    for each in answer.iter():
        each.tag = each.tag.rpartition("}")[2]
    return answer


def _s3(method: str, bucket: str) -> bytes:
    where = f"<LocationConstraint>{os.environ['AWS_DEFAULT_REGION']}</LocationConstraint>"
    body = f"<CreateBucketConfiguration>{where}</CreateBucketConfiguration>" if method == "PUT" else ""
    return _asked(method, bucket, "s3", body.encode())


def _asked(method: str, path: str, service: str, body: bytes) -> bytes:
    """What moto answers; of a signature it reads only whose it is, and for which service."""
    scope = f"{os.environ['AWS_ACCESS_KEY_ID']}/20260101/{os.environ['AWS_DEFAULT_REGION']}/{service}/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    if service == "ec2":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    url = f"{os.environ['AWS_ENDPOINT_URL']}/{path}"
    with urlopen(Request(url, body or None, headers, method=method), timeout=60) as answer:  # noqa: S310 - loopback
        content: bytes = answer.read()
    return content


class _Patient:
    """Ends the server when terraform is done with it, and not already when terraform asks to stop: real providers
    finish what they have begun."""

    def __init__(self) -> None:
        self.stopped = False
        self.server: Any = None

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        if details.method == "/plugin.GRPCController/Shutdown":
            self.stopped = True
            self.server.stop(grace=0)
        return continuation(details)


def main(notes: str) -> None:
    """Serve terraform, and note who was started, where and with what, in a file in the folder ``notes``."""
    # As the real one: terraform says when to stop, a Ctrl-C on the terminal does not.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    seen = {"cwd": str(Path.cwd()), "environment": dict(os.environ)}
    Path(notes, f"{os.getpid()}.json").write_text(json.dumps(seen), encoding="utf-8")
    runner._ShutdownInterceptor = _Patient
    runner.run_provider(Double(), sys.argv)
