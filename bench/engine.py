"""An engine alone: policies and a ready-made normalized plan in, findings out, as `opa eval` does it.

``python -m bench.engine embedded|opa POLICIES NORMALIZED_PLAN`` prints the findings as JSON; ``opa`` is OPA as Plangate
starts and asks it. It is measured beside OPA and conftest
so that engines are compared on the same work; nobody would use it otherwise.
"""

import json
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from plangate.policy.base import EMBEDDED, Engine, PolicySet, PolicySource
from plangate.policy.embedded import EmbeddedEngine
from plangate.policy.load import load


def main(name: str, folder: Path, document: Path) -> int:
    """Judge, and print a list of findings per rule."""
    policies = load([PolicySource(root=folder, name="bench")], engine=name)
    with _engine(name, policies) as engine:
        answers = engine.evaluate(policies, document.read_bytes(), 300.0)
    if failed := [f"{answer.rule}: {answer.error}" for answer in answers if answer.error]:
        print("\n".join(failed), file=sys.stderr)
        return 1
    print(json.dumps({answer.rule: [finding.address for finding in answer.deny] for answer in answers}))
    return 0


def _engine(name: str, policies: PolicySet) -> AbstractContextManager[Engine]:
    if name == EMBEDDED:
        return EmbeddedEngine(policies)
    from plangate.policy.opa.engine import OpaEngine, PrivateServer  # noqa: PLC0415 - an extra

    return OpaEngine(PrivateServer(binary="opa"), policies)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
