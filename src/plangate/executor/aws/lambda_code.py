"""Code of functions: what templates say of it, and what can be told of it later.

Lambda tells a digest of the package that it has, and not where that came from. So a function carries a digest of what
its template said, as a tag.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
"""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.arguments import only, present
from plangate.executor.aws.base import Properties

CODE_TAG: Final = "plangate:code"
_KNOWN: Final = ("ImageUri", "S3Bucket", "S3Key", "S3ObjectVersion", "SourceKMSKeyArn", "ZipFile")
_FILES: Final = {"python": "index.py", "nodejs": "index.js"}
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip file can say: the same code is the same file, whenever it is packed."""


def code_arguments(properties: Properties) -> dict[str, Any]:
    """The code as CreateFunction and UpdateFunctionCode take it.

    Raises:
        ExecutionError: The template says something else than what is supported.
    """
    code = dict(only("Code", properties["Code"], *_KNOWN))
    if "ZipFile" in code:
        code["ZipFile"] = packed(str(code["ZipFile"]), str(properties.get("Runtime", "")))
    return present(code)


def packed(text: str, runtime: str) -> bytes:
    """Inline code as a zip file; its one file is named as the runtime wants it.

    Raises:
        ExecutionError: The runtime takes no inline code.
    """
    name = next((file for kind, file in _FILES.items() if runtime.startswith(kind)), None)
    if name is None:
        raise ExecutionError(
            f"Code/ZipFile: the runtime {runtime[:40]!r} takes no inline code",
            hint=f"inline code is for {' and '.join(sorted(_FILES))}: put the package into a bucket",
        )
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
        return made.getvalue()


def code_digest(code: Any) -> str:
    """Of what a template says of the code, in hex."""
    given = {name: str(value) for name, value in only("Code", code, *_KNOWN).items()}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def told_code(tags: Mapping[str, str], package: str) -> dict[str, str]:
    """What is known of a function's code.

    Args:
        tags: Of the function.
        package: Lambda's digest of the package.
    """
    return present({"Digest": tags.get(CODE_TAG), "Package": package})


def same_code(wanted: Any, actual: Any) -> bool:
    """Whether a function has the code that a template says: where it is from, and for inline code what it is.

    That somebody put another package in the place of one from a bucket cannot be told.
    """
    if actual.get("Digest") != code_digest(wanted):
        return False
    if "ZipFile" not in wanted:
        return True
    packages = {_package(str(wanted["ZipFile"]), kind) for kind in _FILES}
    return actual.get("Package") in packages


def _package(text: str, runtime: str) -> str:
    return base64.b64encode(hashlib.sha256(packed(text, runtime)).digest()).decode()
