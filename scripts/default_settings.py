# ruff: noqa: INP001 - a script, not a package
"""Prints the settings of the shipped policies with their defaults, as the data document that policies read.

OPA knows nothing of METADATA::

    python scripts/default_settings.py > settings.json && opa test policies settings.json
"""

import json
import sys

from plangate.policy.load import load, shipped_policies

if __name__ == "__main__":
    json.dump(dict(load([shipped_policies()]).data), sys.stdout, indent=2)
    sys.stdout.write("\n")
