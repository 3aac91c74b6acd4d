"""Folders with a provider and a state in S3, for the real terraform and tofu: the provider and AWS are doubles."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from msgspec import Struct

from plangate.errors import PlangateError
from plangate.wiring import stored_records
from tests import aws_server, command_line
from tests.aws_provider_mirror import Mirror
from tests.aws_server import AwsServer
from tests.command_line import Ran

STATES: Final = "states"
KEY: Final = "app/terraform.tfstate"
LOCK: Final = f"{KEY}.tflock"
REMOTE: Final = f"""
  backend "s3" {{
    bucket                      = "{STATES}"
    key                         = "{KEY}"
    region                      = "{aws_server.REGION}"
    use_lockfile                = true
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_requesting_account_id  = true
  }}
"""


class Project(Struct, frozen=True, kw_only=True):
    """A folder, the program that it belongs to, and the account that it manages."""

    folder: Path
    program: Path
    mirror: Mirror
    server: AwsServer

    def environment(self, **more: str) -> dict[str, str]:
        ours = {"AWS_ENDPOINT_URL": self.server.url, "TF_CLI_CONFIG_FILE": str(self.mirror.settings)}
        ours |= {"PLANGATE_TERRAFORM": str(self.program)}
        return command_line.environment(**aws_server.ENVIRONMENT | ours | more)

    def write(self, resources: str, *, backend: str = REMOTE) -> "Project":
        head = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n'
        provider = f'provider "aws" {{\n  region = "{aws_server.REGION}"\n}}\n'
        (self.folder / "main.tf").write_text(head + backend + "}\n" + provider + resources, encoding="utf-8")
        return self

    def terraform(self, *arguments: str, folder: Path | None = None) -> int:
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd=folder or self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode

    def plan(self, name: str = "tfplan") -> "Project":
        assert self.terraform("init", "-input=false") == 0
        assert self.terraform("plan", "-input=false", f"-out={name}") == 0
        self.mirror.starts()
        return self

    def run(self, *arguments: str, **more: str) -> Ran:
        return command_line.run(*arguments, cwd=self.folder, env=self.environment(**more))

    def records(self, kind: str) -> list[dict[str, Any]]:
        folder = self.folder / ".plangate"
        # While another process makes the log, there may be none yet.
        try:
            return [record["body"] for _, record in stored_records(folder) if record["type"] == kind]
        except PlangateError:
            return []

    def told(self, event: str) -> list[tuple[str, str]]:
        """Address and action of the recorded events of one type."""
        records = self.records("execution.event")
        return sorted((b["address"], b["action"]) for b in records if b["event"] == event)

    def volumes(self) -> list[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.client("ec2").describe_volumes()["Volumes"]
        return list(found)

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.server.url, region_name=aws_server.REGION)

    def locked(self) -> bool:
        listed = self.client("s3").list_objects_v2(Bucket=STATES).get("Contents", [])
        return any(item["Key"] == LOCK for item in listed)

    def lock(self) -> None:
        """Somebody else's lock, as terraform writes it."""
        said = {"ID": "0b4d", "Operation": "OperationTypeApply", "Info": "", "Who": "somebody else"}
        said |= {"Version": "1.11.4", "Created": "2026-01-01T00:00:00Z", "Path": f"{STATES}/{KEY}"}
        self.client("s3").put_object(Bucket=STATES, Key=LOCK, Body=json.dumps(said).encode())

    def lose_states(self) -> None:
        """Take the bucket of the states away, while terraform may be writing to it."""
        bucket = self.client("s3")
        for _ in range(20):
            try:
                for item in bucket.list_objects_v2(Bucket=STATES).get("Contents", []):
                    bucket.delete_object(Bucket=STATES, Key=item["Key"])
                bucket.delete_bucket(Bucket=STATES)
            except ClientError:
                continue
            return
        pytest.fail("the bucket could not be deleted")

    def unlock(self) -> None:
        self.client("s3").delete_object(Bucket=STATES, Key=LOCK)
