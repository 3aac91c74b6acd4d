"""Values of the root module's variables, from where Terraform takes them, and the types that they are declared with.

Later ones win: the environment, ``terraform.tfvars``, ``terraform.tfvars.json``, ``*.auto.tfvars`` and
``*.auto.tfvars.json`` by name, then variable files and variables as they are given. Of these two Terraform takes the
one that stands last on its command line; which that is, is not told here, so they must not contradict each other.

Source: https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from plangate.errors import PlanParseError
from plangate.model.plan import Location
from plangate.parsers.base import Limits, Options
from plangate.parsers.hcl.configuration import Configuration
from plangate.parsers.hcl.evaluate import evaluate
from plangate.parsers.hcl.json_syntax import read_json_values
from plangate.parsers.hcl.native_syntax import read_native
from plangate.parsers.hcl.origins import Origins, restored
from plangate.parsers.hcl.run import EvaluationError, Run
from plangate.parsers.hcl.scope import Scope
from plangate.parsers.hcl.syntax import Attribute, Call, Expression, Literal, Name, Object, Tuple
from plangate.parsers.hcl.types import Form, Type, convert, type_of

_ENVIRONMENT: Final = "TF_VAR_"
_PLAIN_TEXT: Final = frozenset({"string", "number", "bool"})


def root_variables(config: Configuration, run: Run, options: Options) -> Mapping[str, Any]:
    """What is given for the variables of the root module.

    Raises:
        PlanParseError: A variable file that is not well-formed or not there, or that contradicts a variable.
    """
    given: dict[str, Any] = {}
    declared = config.named["variable"]
    for name, text in options.environ.items():
        short = name.removeprefix(_ENVIRONMENT)
        if short != name and short in declared:
            run.tree.include(f"environment variable {short}", text.encode("utf-8", "surrogateescape"))
            given[short] = _from_text(text, short, config, run)
    names = [n for n in run.tree.names(config.folder) if n.endswith((".auto.tfvars", ".auto.tfvars.json"))]
    there = set(run.tree.names(config.folder))
    files = [n for n in ("terraform.tfvars", "terraform.tfvars.json") if n in there] + sorted(names)
    for file in files:
        read = run.tree.read(run.tree.join(config.folder, file))
        given.update(_from_file(read.data, read.name, run))
    said: dict[str, Any] = {}
    for index, path in enumerate(options.variable_files):
        data = _outside_file(path, run.limits)
        run.tree.include(f"variable file {index}", data)
        said.update(_from_file(data, str(path), run))
    for name, text in options.variables.items():
        run.tree.include(f"variable {name}", text.encode("utf-8", "surrogateescape"))
        value = _from_text(text, name, config, run)
        if name in said and said[name] != value:
            raise PlanParseError(
                f"variable {name}",
                "--var and --var-file say different values (expected one, or the same)",
                hint="Terraform takes the last one of its command line; give only that one here",
            )
        said[name] = value
    return {**given, **said}


def _outside_file(path: Path, limits: Limits) -> bytes:
    """A file that the user names; it may be anywhere."""
    try:
        with path.open("rb") as file:
            data = file.read(limits.max_plan_bytes + 1)
    except OSError as error:
        raise PlanParseError(str(path), f"cannot be read: {error.strerror}") from error
    if len(data) > limits.max_plan_bytes:
        raise PlanParseError(str(path), f"more than {limits.max_plan_bytes} bytes")
    return data


def _from_file(data: bytes, name: str, run: Run) -> Mapping[str, Any]:
    if name.endswith(".json"):
        attributes = read_json_values(data, name, run.limits)
    else:
        body = read_native(data, name, run.limits)
        for block in body.blocks:
            run.refuse(block.place, "a block in a file of variables")
        attributes = body.attributes
    return {key: _constant(attribute, run) for key, attribute in attributes.items()}


def _constant(attribute: Attribute, run: Run) -> Any:
    """A value without names in it."""
    scope = Scope(run, _no_names, "", attribute.place.file)
    try:
        return evaluate(attribute.value, scope)
    except EvaluationError as error:
        run.refuse(attribute.place, f"variable {attribute.name[:100]}: {error}")


def _no_names(name: str) -> Any:
    raise EvaluationError(f"{name[:100]!r} cannot be read here")


def _from_text(text: str, name: str, config: Configuration, run: Run) -> Any:
    """A variable given as text: as it is for a plain type or none, else an expression."""
    block = config.named["variable"].get(name)
    kind = block.body.attributes.get("type") if block is not None else None
    if kind is None or _is_plain(kind.value):
        return text
    body = read_native(f"value = {text}\n".encode(), f"variable {name}", run.limits)
    if set(body.attributes) != {"value"} or body.blocks:
        raise PlanParseError(f"variable {name}", "not one expression")
    return _constant(body.attributes["value"], run)


def _is_plain(kind: Expression) -> bool:
    word = kind.name if isinstance(kind, Name) else kind.value if isinstance(kind, Literal) else ""
    return word in _PLAIN_TEXT


def declared_type(attribute: Attribute, limits: Limits) -> Type | None:
    """The type constraint of a variable, or `None` for what is none."""
    value = attribute.value
    if isinstance(value, Literal) and isinstance(value.value, str):
        # The JSON syntax, and before 0.12 everybody, writes it in quotes.
        try:
            value = (
                read_native(f"type = {value.value}\n".encode(), attribute.place.file, limits)
                .attributes["type"]
                .value
            )
        except (PlanParseError, KeyError):
            return None
    try:
        return type_of(_form(value))
    except ValueError:
        return None


def _form(value: Expression) -> Form:
    if isinstance(value, Name):
        return (value.name,)
    if not isinstance(value, Call):
        raise ValueError("not a type")  # noqa: TRY004 - a value of the document
    if value.name == "object" and len(value.arguments) == 1 and isinstance(value.arguments[0], Object):
        members = {}
        for key, item in value.arguments[0].items:
            if not isinstance(key, Literal) or not isinstance(key.value, str):
                raise ValueError("not a type")  # noqa: TRY004
            members[key.value] = _form(item)
        return ("object", members)
    if value.name == "tuple" and len(value.arguments) == 1 and isinstance(value.arguments[0], Tuple):
        return ("tuple", [_form(item) for item in value.arguments[0].items])
    if value.name == "optional" and 1 <= len(value.arguments) <= 2:  # noqa: PLR2004
        inner = _form(value.arguments[0])
        return (
            ("optional", inner)
            if len(value.arguments) == 1
            else ("optional", inner, _default(value.arguments[1]))
        )
    if len(value.arguments) != 1:
        raise ValueError("not a type")
    return (value.name, _form(value.arguments[0]))


def _default(value: Expression) -> Any:
    """The default of an optional attribute: a constant."""
    if isinstance(value, Literal):
        return value.value
    if isinstance(value, Tuple):
        return tuple(_default(item) for item in value.items)
    if isinstance(value, Object):
        return {str(_default(key)): _default(item) for key, item in value.items}
    raise ValueError("not a constant")


def convert_to(value: Any, wanted: Type, run: Run, place: Location) -> Any:
    """A value converted to a type; its unknown parts keep their origins.

    Raises:
        EvaluationError: It cannot be converted.
    """
    origins = Origins()
    plain = origins.stripped(value)
    run.spend_walk(origins.size, place)
    try:
        made = convert(plain, wanted)
    except ValueError as error:
        raise EvaluationError(str(error)) from error
    return restored(made, value) if origins.found else made
