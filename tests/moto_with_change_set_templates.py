"""moto's server with the one thing added that it lacks for change sets: ``get-template`` of a change set.

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


setattr(CloudFormationResponse, "get_template", _get_template)  # noqa: B010 - a method of another's class

if __name__ == "__main__":
    main(sys.argv[1:])
