"""``plangate policy``: for the people who write policies. One file here per subcommand, imported when asked for."""

from typing import Final

SUBCOMMANDS: Final = {
    "mutate": "Put faults into policies and see whether their tests notice.",
    "test": "Run the tests of policies.",
}
