"""``plangate kubernetes``: plans for clusters. One file here per subcommand, imported when asked for."""

from typing import Final

SUBCOMMANDS: Final = {
    "plan": "Ask a cluster what it would make of manifests, and record it, to be judged and applied.",
}
