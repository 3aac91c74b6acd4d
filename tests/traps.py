"""Documents that cost far more than they look, each made in a moment; run as a program, this reads one of them.

``python -m tests.traps NAME`` prints what became of it, under a limit on memory, so that a trap that works ends as
a `MemoryError` here and does not take the machine down.
"""

import hashlib
import json
import resource
import sys
from collections.abc import Callable
from typing import Any, Final

from plangate.errors import PlanParseError
from plangate.facts.registry import with_facts
from plangate.parsers.base import Input, Limits
from plangate.parsers.terraform_plan import parse

MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
AWS: Final = "registry.terraform.io/hashicorp/aws"


def entry(address: str = "aws_instance.web", module: str = "", **change: Any) -> dict[str, Any]:
    """A change entry; ``address`` may have an instance key."""
    native_type, name = address.split("[", 1)[0].split(".")
    return {
        "address": f"{module}.{address}" if module else address,
        "module_address": module,
        "mode": "managed",
        "type": native_type,
        "name": name,
        "provider_name": AWS,
        "change": {"actions": ["create"], "before": None, "after": {}, "after_unknown": {}} | change,
    }


def document(*entries: Any, **root: Any) -> bytes:
    """A plan."""
    return json.dumps(
        {"format_version": "1.2", "planned_values": {}, "resource_changes": list(entries)} | root
    ).encode()


def configured(*resources: Any, **module: Any) -> dict[str, Any]:
    """A configuration."""
    return {"root_module": {"resources": list(resources), **module}}


def web(references: list[str], kind: str = "aws_instance", **more: Any) -> dict[str, Any]:
    """A resource whose subnet comes from these names."""
    return {
        "mode": "managed",
        "type": kind,
        "name": "web",
        "expressions": {"subnet_id": {"references": references}},
        **more,
    }


def nested(inner: Any, levels: int, key: str = "k") -> Any:
    """A value below so many objects."""
    for _ in range(levels):
        inner = {key: inner}
    return inner


def modules(levels: int) -> dict[str, Any]:
    """Modules in modules, each passing its variable on and giving its output back."""
    module: dict[str, Any] = {
        "resources": [web(["var.v"])],
        "outputs": {"o": {"expression": {"references": ["var.v"]}}},
    }
    for _ in range(levels):
        passed = {"v": {"references": ["var.v", "module.m.o", "module.m"]}}
        module = {
            "module_calls": {"m": {"module": module, "expressions": passed}},
            "outputs": {"o": {"expression": {"references": ["module.m.o", "module.m", "var.v"]}}},
        }
    return module


TRAPS: Final[dict[str, Callable[[], bytes]]] = {
    "a text of escaped quotes": lambda: document(entry(after={"a": '"' * 2_500_000})),
    "an unterminated text of escapes": lambda: b'{"a": "' + b"\\\\" * 2_500_000,
    "opening brackets": lambda: b"[" * 2_000_000,
    "opening brackets in a text, and then for real": lambda: b'["' + b"[" * 2_000_000 + b'"' + b"[" * 300,
    "many different keys": lambda: document(entry(after={f"k{i}": i for i in range(200_000)})),
    "one key twice among many": lambda: (
        b'{"x": {' + b"".join(b'"k%d":0,' % i for i in range(200_000)) + b'"k7":0}}'
    ),
    "a number of five megabytes": lambda: b'{"a": ' + b"9" * 5_000_000 + b"}",
    "a fraction of five megabytes": lambda: b'{"a": 0.' + b"9" * 5_000_000 + b"}",
    "a short number that is long": lambda: document(entry(after={"port": 1})).replace(
        b'"port": 1', b'"port": 1e999999999'
    ),
    "white space": lambda: b" " * 5_000_000 + b"{" + b"\n" * 5_000_000,
    "a complaint at the end": lambda: document(
        *[entry(f"a_b.c{i}") for i in range(20_000)], entry(actions=["explode"])
    ),
    "deep child modules": lambda: document(planned_values=nested({}, 100, "root_module")),
    "wide child modules": lambda: document(
        planned_values={"root_module": {"child_modules": [{"resources": []}] * 300_000}}
    ),
    "a long key above many marks": lambda: document(
        entry(after_unknown={"k" * 1_000_000: {f"m{i}": True for i in range(100_000)}})
    ),
    "a long key above many sensitive items": lambda: document(
        entry(after={}, after_sensitive={"k" * 1_000_000: [True] * 100_000})
    ),
    "deep shadows above a wide one": lambda: document(
        entry(
            after=nested({f"m{i}": i for i in range(100_000)}, 112),
            after_unknown=nested({f"m{i}": i == 0 for i in range(100_000)}, 112),
        )
    ),
    "a shadow that is longer than its value": lambda: document(
        entry(after={"a": []}, after_unknown={"a": [True] * 200_000})
    ),
    "a long configuration path above many blocks": lambda: document(
        entry(),
        configuration=configured(
            {
                "mode": "managed",
                "type": "aws_instance",
                "name": "web",
                "expressions": {"k" * 1_000_000: {f"m{i}": {} for i in range(100_000)}},
            }
        ),
    ),
    "an address of many modules": lambda: document(entry(module=".".join(["module.m[0]"] * 20_000))),
    "many addresses of many modules": lambda: document(
        *[entry(f"a_b.c{i}", module=".".join(["module.m[0]"] * 31)) for i in range(5_000)]
    ),
    "an address that is no address": lambda: document(entry() | {"address": '["' * 1_000_000}),
    "a module address that is none": lambda: document(entry(module='m["' + "\\" * 1_000_000)),
    "a module that feeds itself": lambda: document(
        entry(module="module.m"),
        configuration=configured(
            module_calls={
                "m": {
                    "expressions": {"v": {"references": ["module.m.o", "module.m"]}},
                    "module": {
                        "resources": [web(["var.v"])],
                        "outputs": {"o": {"expression": {"references": ["var.v"]}}},
                    },
                }
            }
        ),
    ),
    "modules in modules that feed each other": lambda: document(
        entry(module=".".join(["module.m"] * 30)), configuration={"root_module": modules(30)}
    ),
    "a million references": lambda: document(
        entry(), configuration=configured(web([f"a_b.c{i}.id" for i in range(1_000_000)]))
    ),
    "many attributes that read one huge expression": lambda: document(
        *[entry(f"aws_instance.w{i}", module="module.m") for i in range(10_000)],
        configuration=configured(
            module_calls={
                "m": {
                    "expressions": {"v": {"references": [f"a_b.c{i}" for i in range(9_000)]}},
                    "module": {"resources": [web(["var.v"]) | {"name": f"w{i}"} for i in range(10_000)]},
                }
            }
        ),
    ),
    "many module instances with many references": lambda: document(
        *[entry(module=f"module.m[{i}]") for i in range(20_000)],
        configuration=configured(
            module_calls={
                "m": {
                    "count_expression": {},
                    "module": {"resources": [web([f"a_b.c{i}" for i in range(9_000)])]},
                }
            }
        ),
    ),
    "many instances that may refer to many others": lambda: document(
        *[
            entry(f"aws_instance.web[{i}]", after={}, after_unknown={"subnet_id": True})
            for i in range(20_000)
        ],
        *[entry(f"aws_subnet.a[{i}]", after={}, after_unknown={"id": True}) for i in range(20_000)],
        configuration=configured(web(["aws_subnet.a", "count.index"])),
    ),
    "security groups and rules that may belong to each other": lambda: document(
        *[entry(f"aws_security_group.g[{i}]", after={}, after_unknown={"id": True}) for i in range(10_000)],
        *[
            entry(
                f"aws_security_group_rule.r[{i}]",
                after={
                    "type": "ingress",
                    "from_port": 22,
                    "to_port": 22,
                    "protocol": "tcp",
                    "cidr_blocks": ["0.0.0.0/0"],
                },
                after_unknown={"security_group_id": True, "id": True},
            )
            for i in range(10_000)
        ],
        configuration=configured(
            {"mode": "managed", "type": "aws_security_group", "name": "g", "expressions": {}},
            {
                "mode": "managed",
                "type": "aws_security_group_rule",
                "name": "r",
                "expressions": {"security_group_id": {"references": ["aws_security_group.g", "local.x"]}},
            },
        ),
    ),
    "a text of zeros": lambda: document(entry(after={"a": "\0" * 1_000_000, "\0": 1})),
    "half a surrogate pair in a key": lambda: b'{"\\ud800": 1}',
    "half surrogate pairs that are none": lambda: document(entry(after={"a": "\\ud800" * 300_000})),
    "a member of a huge name": lambda: document(**{"x" * 5_000_000: 1, "y": 1}),
    "nothing but members of huge names": lambda: json.dumps({"x" * 5_000_000: 1}).encode(),
    "an action of a huge name": lambda: document(entry(actions=["x" * 5_000_000])),
}


def reading(name: str) -> str:
    """What becomes of a trap."""
    data = TRAPS[name]()
    try:
        plan = parse(
            Input(name="f", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data)), Limits()
        )
    except PlanParseError as error:
        return f"refused: {error}"
    resources = with_facts(plan.resources)
    edges = sum(len(resource.references) for resource in resources)
    unresolved = sum(len(resource.unresolved) for resource in resources)
    unknown = sum(len(resource.unknown) for resource in resources)
    return f"read: {len(resources)} resources, {edges} edges, {unresolved} unresolved, {unknown} unknown"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.stdout.write(reading(sys.argv[1]) + "\n")
