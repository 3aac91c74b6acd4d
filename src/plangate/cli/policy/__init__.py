"""``plangate policy``: for the people who write policies. One file here per subcommand, imported when asked for."""

from typing import Final

SUBCOMMANDS: Final = {
    "bundle": "Make one file of policies, signed if wanted, for gates and for OPA.",
    "test": "Run the tests of policies.",
}
