# ruff: noqa: INP001 - a script, not a package
"""Write ``src/plangate/policy/shipped_index.json``: what the check says of the shipped policies.

Run it after changing a policy below ``policies/``, or the check::

    python scripts/shipped_index.py
"""

import json
import sys

from plangate.policy.files import LoadLimits, read_files
from plangate.policy.index import INDEX, index_document
from plangate.policy.load import check, digest, shipped_policies


def text() -> str:
    """The file's text."""
    files = read_files([shipped_policies()], LoadLimits())
    return json.dumps(index_document(digest(files), check(files)), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    INDEX.write_text(text())
    sys.exit(0)
