"""``plangate init``: a commented plangate.yaml to start from."""

from pathlib import Path
from typing import Annotated, Final

import typer

from plangate.cli import streams

TEMPLATE: Final = """\
# Settings of plangate. Unknown keys are refused; `plangate schema settings` prints the schema.
version: 1

# Where plans are meant to be applied. A receipt counts for one environment only.
environment: default

# standard: a value known only after apply becomes an obligation that is checked then, where it can be.
# strict:   such a value denies.
profile: standard

# Folders with your own Rego policies, relative to this file.
policies: []

# Judge with the policies that come with plangate as well.
shipped_policies: true

# Deny for resources that the plan does not change, too. Otherwise they are listed as debt.
gate_existing: false

# Choices by rule: `plangate rules list` shows the ids, `plangate rules show RULE` its settings.
rules: {}
  # required-tags:
  #   settings: {tags: {owner: [], environment: [prod, test]}}
  # allowed-regions:
  #   settings: {regions: [eu-west-1]}
  # key-rotation:
  #   enforcement: advisory

# In source, manifests and templates, only warn of what is known after apply and would be an obligation in a plan.
unsafe_allow_unknown_source: false

# Paths that folders are searched without, e.g. "examples/*".
exclude: []

# A waiver lifts one rule on exactly one address until it expires.
waivers: []
  # - rule: bucket-versioned
  #   address: aws_s3_bucket.scratch
  #   owner: team-storage
  #   reason: holds build caches only
  #   expires: "2027-01-31T00:00:00Z"

# How long a receipt counts.
receipt_valid_minutes: 60
"""


def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("plangate.yaml"),
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> int:
    """Write a commented plangate.yaml."""
    from plangate.errors import UsageError

    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError as error:
        raise UsageError(f"{path}: exists already", hint="--force replaces it") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    streams.say(f"wrote {path}\n")
    return 0
