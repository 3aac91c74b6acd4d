"""moto's server with what it lacks for change sets: ``get-template`` of one, and templates under its own address.

A double, run by tests as a program of its own. What else moto does not do is in docs/executor.md.
"""

import sys
from typing import Any

from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult
from moto.server import main

_of_stack = CloudFormationResponse.get_template


def _get_template(self: Any) -> Any:
    name = self._get_param("ChangeSetName")
    if not name:
        return _of_stack(self)
    return ActionResult({"TemplateBody": self.cloudformation_backend.describe_change_set(name).template})


_from_url = CloudFormationResponse._get_stack_from_s3_url


def _get_stack_from_s3_url(self: Any, template_url: str) -> str:
    """moto reads a path only below this name."""
    return _from_url(self, template_url.replace("//127.0.0.1", "//localhost"))


setattr(CloudFormationResponse, "_get_stack_from_s3_url", _get_stack_from_s3_url)  # noqa: B010
setattr(CloudFormationResponse, "get_template", _get_template)  # noqa: B010 - a method of another's class

if __name__ == "__main__":
    main(sys.argv[1:])
