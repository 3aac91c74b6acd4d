# ruff: noqa: INP001, S603, S607, T201 - a script, not a package; it runs tools from PATH and talks to its user
"""Makes the plans under fixtures/rules from the Terraform files beside them, with the real provider.

Run by hand, where `terraform` and the provider hashicorp/aws 5.100.0 can be had (TF_CLI_CONFIG_FILE may name a mirror);
cases that start from something that exists (``CASE.before.tf``) also need `moto_server`, which answers in place of AWS.
All cases become modules of one configuration, so that one plan is enough, and the plan is then cut into one per case.

    python scripts/make_rule_fixtures.py [SLUG…]
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent / "fixtures" / "rules"
PROVIDER: Final = """
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region     = "eu-central-1"
  access_key = "example"
  secret_key = "example"

  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
"""
KEPT: Final = ("format_version", "terraform_version", "timestamp", "applyable", "complete", "errored")


def main() -> None:
    """Makes all plans, or those of the named rules."""
    wanted = set(sys.argv[1:])
    cases = {
        f"c{number:03}": path
        for number, path in enumerate(sorted(ROOT.glob("*/*_*.tf")))
        if not path.name.endswith(".before.tf")
        and (not wanted or path.parent.name in wanted)
        # Those of other providers are put together by make_cloud_fixtures.py.
        and not any(f"_{cloud}_" in f"{path.stem}_" for cloud in ("azure", "google", "terraform"))
    }
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        environment = os.environ | {"CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true"}
        before = {name: path.with_name(f"{path.stem}.before.tf") for name, path in cases.items()}
        server = None
        if any(path.exists() for path in before.values()):
            server, endpoint = _start_moto()
            environment["AWS_ENDPOINT_URL"] = endpoint
        try:
            _lay_out(work, {name: path for name, path in before.items() if path.exists()})
            if server is not None:
                _terraform(work, environment, "apply", "-auto-approve")
            _lay_out(work, cases)
            _terraform(work, environment, "plan", "-out=tfplan")
            plan = json.loads(_terraform(work, environment, "show", "-json", "tfplan"))
        finally:
            if server is not None:
                server.terminate()
                server.wait()
    for name, path in cases.items():
        document = _cut(plan, name)
        path.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"{len(cases)} plans")


def _lay_out(work: Path, cases: dict[str, Path]) -> None:
    main_tf = PROVIDER
    for name, path in cases.items():
        folder = work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        text = path.read_text(encoding="utf-8")
        (folder / "main.tf").write_text(text, encoding="utf-8")
        for module in (ROOT / "modules").iterdir():
            if f'"./{module.name}"' in text:
                shutil.copytree(module, folder / module.name)
        main_tf += f'\nmodule "{name}" {{\n  source = "./{name}"\n}}\n'
    (work / "main.tf").write_text(main_tf, encoding="utf-8")


def _terraform(work: Path, environment: dict[str, str], *arguments: str) -> str:
    if arguments[0] in {"plan", "apply"}:
        subprocess.run(["terraform", "get"], cwd=work, env=environment, check=True, capture_output=True)
    done = subprocess.run(
        ["terraform", *arguments, *(["-input=false", "-no-color"] if arguments[0] != "show" else [])],
        cwd=work, env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"terraform {arguments[0]} failed:\n{done.stdout[-3000:]}{done.stderr[-6000:]}")
    return done.stdout


def _start_moto() -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        ["moto_server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return server, f"http://127.0.0.1:{port}"
    server.terminate()
    sys.exit("moto_server does not answer")


def _cut(plan: dict[str, Any], name: str) -> dict[str, Any]:
    """One module of a plan as a plan of its own, as if its files had been the root module."""
    prefix = f"module.{name}."
    configuration = plan["configuration"]
    call = configuration["root_module"]["module_calls"][name]
    providers = configuration.get("provider_config", {})
    own = {
        key.removeprefix(f"module.{name}:"): dict(value)
        for key, value in providers.items()
        if _concerns(key, name)
    }
    for value in own.values():
        value.pop("module_address", None)
    planned = plan.get("planned_values", {}).get("root_module", {}).get("child_modules", [])
    module: dict[str, Any] = next((m for m in planned if m.get("address") == f"module.{name}"), {})
    module.pop("address", None)
    document: dict[str, Any] = {key: plan[key] for key in KEPT if key in plan}
    document |= {
        "planned_values": {"root_module": module},
        "resource_changes": [c for c in plan.get("resource_changes", []) if c["address"].startswith(prefix)],
        "configuration": {"provider_config": own or _root_provider(providers), "root_module": call["module"]},
    }
    text = json.dumps(document).replace(f"module.{name}:", "").replace(prefix, "")
    cut: dict[str, Any] = json.loads(text)
    for change in cut["resource_changes"]:
        if change.get("module_address") == f"module.{name}":
            del change["module_address"]
    return cut


def _concerns(key: str, name: str) -> bool:
    return key.startswith(f"module.{name}:")


def _root_provider(providers: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in providers.items() if ":" not in key}


if __name__ == "__main__":
    main()
