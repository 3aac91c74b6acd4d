# ruff: noqa: INP001 - a script, not a package
"""Write ``src/plangate/policy/shipped_index.json``, and the kinds into the schema of METADATA.

The first is what the check says of the shipped policies. Run it after changing a policy below ``policies/``, the check,
or the kinds of the model::

    python scripts/shipped_index.py
"""

import json
import sys

from plangate.model.kinds import KINDS
from plangate.policy.files import LoadLimits, read_files
from plangate.policy.guard_edits import module_edits
from plangate.policy.index import INDEX, index_document, text_digest
from plangate.policy.load import check, digest, shipped_policies

SCHEMA = INDEX.parent.parent / "schemas" / "policy-metadata.v1.json"


def text() -> str:
    """The file's text."""
    files = read_files([shipped_policies()], LoadLimits())
    modules = [(file.name, file.text) for file in files.modules]
    edits = module_edits(modules)
    guards = {text_digest(text): found for (_, text), found in zip(modules, edits, strict=True)}
    return (
        json.dumps(index_document(digest(files), check(files), guards), indent=1, ensure_ascii=False) + "\n"
    )


def schema_text() -> str:
    """The schema of METADATA with the kinds that there are now."""
    schema = json.loads(SCHEMA.read_text())
    schema["properties"]["custom"]["properties"]["kinds"]["items"]["enum"] = list(KINDS)
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    INDEX.write_text(text())
    SCHEMA.write_text(schema_text())
    sys.exit(0)
