"""``plangate change-set``: change sets of CloudFormation. One file here per subcommand, imported when asked for."""

from typing import Final

SUBCOMMANDS: Final = {
    "create": "Make a change set in AWS and record it, to be judged and applied.",
}
