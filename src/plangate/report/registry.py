"""Every report format by its name on the command line."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from plangate.report import json, text
from plangate.report.base import Render

FORMATS: Final[Mapping[str, Render]] = MappingProxyType({"text": text.render, "json": json.render})
