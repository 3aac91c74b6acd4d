"""CloudFormation: templates (YAML with short tags, JSON, SAM) and change sets, described and recorded."""

from plangate.parsers.cloudformation.change_set import CHANGE_SET
from plangate.parsers.cloudformation.recorded import RECORDED
from plangate.parsers.cloudformation.template import FORMAT, Template

__all__ = ["CHANGE_SET", "FORMAT", "RECORDED", "Template"]
