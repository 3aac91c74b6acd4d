"""Finds terraform or OpenTofu and runs it: no shell, a chosen environment, bounded time and output.

Used by the reader of saved plans and by the executor, which do not know each other.
"""

from plangate.terraform_cli.environment import acting_environment, providers_folder, reading_environment
from plangate.terraform_cli.process import Ending, Finished, run
from plangate.terraform_cli.saved import LOCK_FILE, MAX_LOCK_BYTES, PlanCopy, private_copy, show_plan
from plangate.terraform_cli.tool import VARIABLE, Tool, find_terraform

__all__ = [
    "LOCK_FILE",
    "MAX_LOCK_BYTES",
    "VARIABLE",
    "Ending",
    "Finished",
    "PlanCopy",
    "Tool",
    "acting_environment",
    "find_terraform",
    "private_copy",
    "providers_folder",
    "reading_environment",
    "run",
    "show_plan",
]
