"""The embedded Rego engine alone: policies and a ready-made normalized plan in, findings out, as `opa eval` does it.

``python -m bench.engine POLICIES NORMALIZED_PLAN`` prints the findings as JSON. It is measured beside OPA and conftest
so that engines are compared on the same work; nobody would use it otherwise.
"""

import json
import sys
from pathlib import Path

from plangate.policy.base import PolicySource
from plangate.policy.embedded import EmbeddedEngine
from plangate.policy.load import load


def main(folder: Path, document: Path) -> int:
    """Judge, and print a list of findings per rule."""
    policies = load([PolicySource(root=folder, name="bench")])
    with EmbeddedEngine(policies) as engine:
        answers = engine.evaluate(policies, document.read_bytes(), 300.0)
    if failed := [f"{answer.rule}: {answer.error}" for answer in answers if answer.error]:
        print("\n".join(failed), file=sys.stderr)
        return 1
    print(json.dumps({answer.rule: [finding.address for finding in answer.deny] for answer in answers}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
