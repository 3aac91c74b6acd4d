"""Plangate: the gate between a planned infrastructure change and the cloud."""

from typing import Final

__version__: Final = "0.1.0"
