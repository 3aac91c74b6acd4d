# ruff: noqa: INP001 - a script, not a package
"""Write ``src/plangate/policy/builtin_table.py``: OPA's builtins, and which of them the embedded engine has.

Run it after changing the version of either engine, with OPA on PATH::

    python scripts/rego_builtins.py            # writes the table
    python scripts/rego_builtins.py --check    # exits 1 when it would change

Names and arities come from ``opa capabilities --current``. A builtin counts as present when regorus does not answer
"could not find function" to a call of it. Whether the two give the same answers is another question, which
``src/plangate/policy/builtins.py`` answers by hand and ``tests/integration/test_engines_agree.py`` tries out.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from plangate.policy.worker import clean, new_engine

TABLE = Path(__file__).resolve().parent.parent / "src" / "plangate" / "policy" / "builtin_table.py"

HEADER = '''"""OPA's builtins: name to (number of arguments, the embedded engine has it).

Made by ``scripts/rego_builtins.py`` from {opa} and regorus {regorus}; do not edit by hand.
"""

from typing import Final

# fmt: off
BUILTINS: Final[dict[str, tuple[int, bool]]] = {{
'''


def capabilities() -> list[dict[str, Any]]:
    """The builtins of the OPA on PATH."""
    answer = subprocess.run(["opa", "capabilities", "--current"], check=True, capture_output=True)  # noqa: S607
    builtins: list[dict[str, Any]] = json.loads(answer.stdout)["builtins"]
    return builtins


def present(name: str, arity: int) -> bool:
    """The embedded engine knows the function, whatever it makes of these arguments."""
    engine = new_engine()
    arguments = ", ".join(["input.nothing"] * arity)
    engine.add_policy("probe.rego", f"package probe\nx := y if {{ y := {name}({arguments}) }}\n")
    try:
        engine.eval_query_as_json("data.probe.x")
    except Exception as problem:  # noqa: BLE001 - any other complaint means that it is there
        return "could not find function" not in clean(problem)
    # Undefined arguments may hide that it is missing, so ask again with one that is there.
    engine = new_engine()
    arguments = ", ".join(["1"] * arity)
    engine.add_policy("probe.rego", f"package probe\nx := y if {{ y := {name}({arguments}) }}\n")
    try:
        engine.eval_query_as_json("data.probe.x")
    except BaseException as problem:  # noqa: BLE001 - some panic on a wrong type
        return "could not find function" not in clean(problem)
    return True


def table() -> str:
    """The module's text."""
    version = subprocess.run(["opa", "version"], check=True, capture_output=True, text=True).stdout  # noqa: S607
    from plangate.policy.embedded import REGORUS_VERSION  # noqa: PLC0415 - not needed to import this file

    lines = [HEADER.format(opa=version.splitlines()[0].replace("Version:", "OPA"), regorus=REGORUS_VERSION)]
    for builtin in sorted(capabilities(), key=lambda builtin: str(builtin["name"])):
        name = builtin["name"]
        if name.startswith("internal."):
            continue
        arity = len(builtin["decl"].get("args", ()))
        lines.append(f'    "{name}": ({arity}, {present(name, arity)}),\n')
    return "".join([*lines, "}\n# fmt: on\n"])


def main() -> int:
    """Write the table, or say whether it is what would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    wanted = table()
    if parser.parse_args().check:
        return 0 if TABLE.read_text() == wanted else 1
    TABLE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
