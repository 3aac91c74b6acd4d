"""CloudFormation: templates (YAML with short tags, JSON, SAM) and change sets."""

from plangate.parsers.cloudformation.template import FORMAT

__all__ = ["FORMAT"]
