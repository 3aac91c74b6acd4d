"""Functions that read files: only below the folder that is checked, anything else refuses the source.

A relative path is seen from the root module, as it is where Terraform runs; ``path.module`` and ``path.root`` are
written that way too.

Source: https://developer.hashicorp.com/terraform/language/functions/file
"""

import base64
import hashlib
import posixpath
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from plangate.errors import PlanParseError
from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.native_syntax import read_template
from plangate.parsers.hcl.origins import merged_leaf
from plangate.parsers.hcl.run import EvaluationError, where
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.syntax import At, Expression
from plangate.parsers.hcl.values import set_of, text

_MAX_PATTERN: Final = 1000


def template_file(
    arguments: list[Any], scope: Scope, at: At, evaluate: Callable[[Expression, Scope], Any]
) -> Any:
    """``templatefile(path, variables)``."""
    if len(arguments) != 2:  # noqa: PLR2004 - a path and variables
        raise EvaluationError("templatefile: two arguments are needed")
    path, names = arguments
    if not isinstance(path, str) or not isinstance(names, dict):
        return merged_leaf(arguments)
    data = _read(path, scope, at)
    shown = scope.run.tree.shown(_inside(path, scope))
    template = scope.run.templates.get(shown)
    if template is None:
        template = scope.run.templates[shown] = read_template(_decoded(data), shown, scope.run.limits)
    scope.run.enter(where(shown, (1, 1)))
    try:
        return evaluate(template, scope.only(names, shown))
    finally:
        scope.run.leave()


def _inside(path: str, scope: Scope) -> str:
    """A path as one of the tree. ``~`` is somebody's home, which is outside."""
    if path.startswith("~"):
        return "../" + path
    return posixpath.normpath(posixpath.join(scope.run.root_folder, path))


def _read(path: str, scope: Scope, at: At) -> bytes:
    inside = _inside(path, scope)
    tree = scope.run.tree
    try:
        if not tree.is_there(inside):
            raise EvaluationError("no such file")
        return tree.read(inside).data
    except PlanParseError as error:
        scope.refuse(at, f"{path[:200]!r}: {error.problem}", hint=error.hint)
        raise


def _decoded(data: bytes) -> str:
    try:
        return text(data.decode())
    except UnicodeDecodeError as error:
        raise EvaluationError("not UTF-8 text") from error


def _file(data: bytes) -> Any:
    return _decoded(data)


def _base64(data: bytes) -> Any:
    return base64.b64encode(data).decode()


def _hashed(name: str, *, as_base64: bool = False) -> Callable[[bytes], Any]:
    def digest(data: bytes) -> Any:
        made = hashlib.new(name, data, usedforsecurity=False)
        return base64.b64encode(made.digest()).decode() if as_base64 else made.hexdigest()

    return digest


def _of_file(make: Callable[[bytes], Any]) -> Callable[[list[Any], Scope, At], Any]:
    def function(arguments: list[Any], scope: Scope, at: At) -> Any:
        if len(arguments) != 1:
            raise EvaluationError("one argument is needed")
        path = arguments[0]
        if path is UNKNOWN:
            return UNKNOWN
        if not isinstance(path, str):
            raise EvaluationError("a path is needed")
        return make(_read(path, scope, at))

    return function


def _file_exists(arguments: list[Any], scope: Scope, at: At) -> Any:
    path = arguments[0] if len(arguments) == 1 else None
    if path is UNKNOWN:
        return UNKNOWN
    if not isinstance(path, str):
        raise EvaluationError("a path is needed")
    try:
        return scope.run.tree.exists(_inside(path, scope))
    except PlanParseError as error:
        scope.refuse(at, f"{path[:200]!r}: {error.problem}", hint=error.hint)
        raise


def _file_set(arguments: list[Any], scope: Scope, at: At) -> Any:
    if UNKNOWN in arguments:
        return UNKNOWN
    if len(arguments) != 2 or not all(isinstance(item, str) for item in arguments):  # noqa: PLR2004
        raise EvaluationError("a path and a pattern are needed")
    folder, pattern = arguments
    matches = _pattern(pattern)
    if matches is None:
        return UNKNOWN
    try:
        names = scope.run.tree.below(_inside(folder, scope))
    except PlanParseError as error:
        scope.refuse(at, f"{folder[:200]!r}: {error.problem}", hint=error.hint)
        raise
    found = [name for name in names if matches.fullmatch(name)]
    scope.spend(len(names))
    return set_of(found)


def _pattern(pattern: str) -> re.Pattern[str] | None:
    """A glob as a pattern, or `None` for one that is not plain ``*``, ``**``, ``?`` and text."""
    if any(mark in pattern for mark in "[]{}\\") or len(pattern) > _MAX_PATTERN or pattern.count("*") > 6:  # noqa: PLR2004
        return None
    parts = [_GLOB.get(part) or re.escape(part) for part in re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", pattern)]
    return re.compile("".join(parts))


_GLOB: Final[Mapping[str, str]] = MappingProxyType(
    {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
)


def _absolute(arguments: list[Any], _scope: Scope, _at: At) -> Any:
    """What hangs on the machine that Terraform runs on."""
    return UNKNOWN if arguments else None


def _base_name(arguments: list[Any], _scope: Scope, _at: At) -> Any:
    return _of_path(arguments, lambda path: posixpath.basename(path.rstrip("/")) or ("/" if path else "."))


def _directory(arguments: list[Any], _scope: Scope, _at: At) -> Any:
    return _of_path(arguments, lambda path: posixpath.normpath(posixpath.dirname(path) or "."))


def _of_path(arguments: list[Any], make: Callable[[str], str]) -> Any:
    if len(arguments) != 1:
        raise EvaluationError("one argument is needed")
    if arguments[0] is UNKNOWN:
        return UNKNOWN
    if not isinstance(arguments[0], str):
        raise EvaluationError("a path is needed")
    return make(arguments[0])


FILE_FUNCTIONS: Final[Mapping[str, Callable[[list[Any], Scope, At], Any]]] = MappingProxyType(
    {
        "abspath": _absolute,
        "basename": _base_name,
        "dirname": _directory,
        "file": _of_file(_file),
        "filebase64": _of_file(_base64),
        "filebase64sha256": _of_file(_hashed("sha256", as_base64=True)),
        "filebase64sha512": _of_file(_hashed("sha512", as_base64=True)),
        "fileexists": _file_exists,
        "filemd5": _of_file(_hashed("md5")),
        "fileset": _file_set,
        "filesha1": _of_file(_hashed("sha1")),
        "filesha256": _of_file(_hashed("sha256")),
        "filesha512": _of_file(_hashed("sha512")),
        "pathexpand": _absolute,
    }
)
"""Plain arguments, scope and place to result, by name."""
