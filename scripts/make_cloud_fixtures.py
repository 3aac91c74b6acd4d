# ruff: noqa: INP001, T201 - a script, not a package; it talks to its user
"""Writes the plans of Azure and Google under fixtures/rules from the tables in scripts/cloud_cases.

Their providers plan only with an account at hand, so these plans are put together from what each resource sets, in the
shape in which Terraform shows a plan. `cases.json` of each rule is brought up to date with what the tables expect.

    python scripts/make_cloud_fixtures.py
"""

import json
from pathlib import Path
from typing import Any, Final

from cloud_cases import azure, google
from cloud_cases.table import COMPUTED, UNKNOWN, Case, Ref, Set

ROOT: Final = Path(__file__).resolve().parent.parent / "fixtures" / "rules"
CLOUDS: Final = {"azurerm": "azure", "google": "google"}


def main() -> None:
    """Writes all plans, and takes away those that the tables no longer have."""
    cases = (*azure.CASES, *google.CASES)
    for slug in {case.rule for case in cases}:
        index = ROOT / slug / "cases.json"
        listed = {k: v for k, v in json.loads(index.read_text(encoding="utf-8")).items() if not _is_ours(k)}
        for case in cases:
            if case.rule == slug:
                outcomes = {
                    address: resource.expected
                    for address, resource in case.resources.items()
                    if resource.expected
                }
                listed[case.name] = {"settings": case.settings, "outcomes": outcomes}
                path = ROOT / slug / f"{case.name}.json"
                path.write_text(json.dumps(_plan(case), indent=1) + "\n", encoding="utf-8")
        text = json.dumps(dict(sorted(listed.items())), indent=2)
        index.write_text(text + "\n", encoding="utf-8")
    print(f"{len(cases)} plans")


def _is_ours(name: str) -> bool:
    return any(f"_{cloud}_" in f"{name}_" for cloud in CLOUDS.values())


def _plan(case: Case) -> dict[str, Any]:
    changes, resources, configured = [], [], []
    for address, resource in case.resources.items():
        native_type, _, name = address.partition(".")
        provider = native_type.partition("_")[0]
        source = f"registry.terraform.io/hashicorp/{provider}"
        named = {"address": address, "mode": "managed", "type": native_type, "name": name}
        after, unknown = _after(resource.values)
        changes.append(
            {
                **named,
                "provider_name": source,
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": after,
                    "after_unknown": unknown,
                    "before_sensitive": False,
                    "after_sensitive": {},
                },
            }
        )
        resources.append(
            {**named, "provider_name": source, "schema_version": 0, "values": after, "sensitive_values": {}}
        )
        configured.append(
            {
                **named,
                "provider_config_key": provider,
                "expressions": _expressions(resource.values),
                "schema_version": 0,
            }
        )
    providers = {address.partition("_")[0] for address in case.resources}
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "applyable": True,
        "complete": True,
        "errored": False,
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {
            "provider_config": {
                name: {
                    "name": name,
                    "full_name": f"registry.terraform.io/hashicorp/{name}",
                    **({"expressions": _expressions(case.provider)} if case.provider else {}),
                }
                for name in sorted(providers)
            },
            "root_module": {"resources": configured},
        },
    }


def _after(value: Any) -> tuple[Any, Any]:
    """Known values, and the marks of the unknown ones."""
    if isinstance(value, dict):
        parts = {key: _after(item) for key, item in value.items()}
        known = {key: after for key, (after, mark) in parts.items() if mark is not True}
        return known, {key: mark for key, (_, mark) in parts.items() if mark not in (False, {}, [])}
    if isinstance(value, list):
        items = [_after(item) for item in value]
        marked = any(mark is True or mark for _, mark in items)
        return [None if mark is True else after for after, mark in items], [
            mark for _, mark in items
        ] if marked else False
    if isinstance(value, Set):
        return value.value, False
    if value in (UNKNOWN, COMPUTED) or isinstance(value, Ref):
        return None, True
    return value, False


def _expressions(values: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for key, value in values.items():
        expression = _expression(value)
        if expression is not None:
            found[key] = expression
    return found


def _expression(value: Any) -> Any:
    if value is None or value == COMPUTED:
        return None
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return [_expressions(item) for item in value]
    if isinstance(value, list) and not value:
        return None
    names = [
        item.to if isinstance(item, Ref | Set) else ""
        for item in (value if isinstance(value, list) else [value])
    ]
    if value == UNKNOWN or (isinstance(value, list) and UNKNOWN in value):
        names.append("terraform_data.later.output")
    if any(names):
        return {"references": [part for to in names if to for part in (to, to.rpartition(".")[0])]}
    return {"constant_value": value}


if __name__ == "__main__":
    main()
