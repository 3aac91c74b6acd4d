"""``plangate policy``: for the people who write policies. One file here per subcommand, imported when asked for."""

from typing import Final

SUBCOMMANDS: Final = {
    "new": "Start a policy: rule, test and plans to try it on.",
    "check": "Say everything that is wrong with policies.",
    "test": "Run the tests of policies.",
    "explain": "Explain why a Rego rule has a finding about a resource, or why not.",
    "mutate": "Put faults into policies and see whether their tests notice.",
    "docs": "Write pages about policies.",
    "bundle": "Make one file of policies, signed if wanted, for gates and for OPA.",
}
