"""Which builtins a policy may use, and why it may not use the others.

An allow-list: a builtin is on it when the embedded engine has it, gave OPA's answers in every probe
(``tests/integration/test_engines_agree.py``), and depends on nothing but its arguments. Some are allowed only in a
form that can be checked by reading the policy; `argument_problem` knows those. What is known to differ in spite of
all this is listed in docs/adr/0004-embedded-rego.md.
"""

from collections.abc import Callable
from typing import Final

from plangate.policy.builtin_table import BUILTINS
from plangate.policy.patterns import regex_problem
from plangate.policy.syntax import Expr

WITH_OPA: Final = "it works with `engine: opa`"

ALLOWED: Final = frozenset(
    """abs array.concat array.reverse array.slice base64.decode base64.encode base64.is_valid
    base64url.decode base64url.encode base64url.encode_no_pad bits.and bits.negate bits.or bits.rsh
    bits.xor ceil concat contains count endswith floor format_int glob.match graph.reachable hex.decode
    hex.encode indexof indexof_n intersection is_array is_boolean is_null is_number is_object is_set is_string
    json.unmarshal lower max min net.cidr_contains net.cidr_expand net.cidr_is_valid numbers.range
    numbers.range_step object.filter object.get object.keys object.remove object.subset object.union
    object.union_n print product regex.find_all_string_submatch_n regex.find_n regex.match regex.replace replace
    round semver.compare sort split sprintf startswith strings.any_prefix_match strings.any_suffix_match
    strings.count strings.reverse substring sum time.parse_duration_ns to_number trim trim_left trim_prefix
    trim_right trim_space trim_suffix type_name union upper walk""".split()  # noqa: SIM905 - a list of words
)

TYPE_ONLY: Final = frozenset(
    "is_array is_boolean is_null is_number is_object is_set is_string type_name".split()  # noqa: SIM905 - a list of words
)
"""Builtins that look at what type a value has."""

KEYS_ONLY: Final = frozenset({"count", "object.keys"})
"""Builtins that look at which keys a value has, or how many items, and not at what is inside."""

_OUTSIDE: Final = "its answer depends on more than the plan, so nobody could repeat the decision"
_REASONS: Final[tuple[tuple[str, str, str], ...]] = (
    ("http.send", "policies must not use the network", ""),
    ("net.lookup_ip_addr", "policies must not use the network", ""),
    ("opa.runtime", _OUTSIDE, ""),
    ("time.now_ns", _OUTSIDE, ""),
    ("rand.", _OUTSIDE, ""),
    ("uuid.rfc4122", _OUTSIDE, ""),
    ("io.jwt.decode_verify", _OUTSIDE, "it reads the clock: use io.jwt.verify_… and io.jwt.decode"),
    ("io.jwt.encode_sign", _OUTSIDE, "signatures are random"),
    (
        "crypto.x509.parse_and_verify_certificates",
        _OUTSIDE,
        "it reads the clock: use crypto.x509.parse_certificates",
    ),
    ("rego.metadata.", "what it says depends on where the policy is loaded", ""),
    ("trace", "it is not needed", "use print"),
    ("any", "it is deprecated", "use `some … in`"),
    ("all", "it is deprecated", "use `every`"),
    ("re_match", "it is deprecated", "use regex.match"),
    ("set_diff", "it is deprecated", "use the minus sign"),
    ("cast_", "it is deprecated", "use a comprehension or type_name"),
    ("rem", "the embedded engine lacks it", "use the percent sign"),
    ("eq", "the embedded engine lacks it", "use =="),
    ("equal", "the embedded engine lacks it", "use =="),
    ("regex.split", "patterns that match nothing split differently", f"use split; {WITH_OPA}"),
    ("time.", "times are read more loosely than OPA does", WITH_OPA),
    ("yaml.", "YAML 1.1 and 1.2 read words like yes differently", f"use json.unmarshal; {WITH_OPA}"),
    ("bits.lsh", "what leaves 64 bits loses digits", WITH_OPA),
    ("units.", "texts that are no quantities are undefined, or numbers, instead of errors", WITH_OPA),
    ("json.marshal", "numbers and special characters are written differently", WITH_OPA),
)


def builtin_problem(name: str) -> tuple[str, str]:
    """Why a builtin may not be used and what to do, or two empty strings."""
    if name in ALLOWED:
        return "", ""
    if name not in BUILTINS:
        return f"undefined function {name}", "neither a builtin nor a function of the loaded policies"
    for start, why, hint in _REASONS:
        if name == start or (start.endswith((".", "_", "sign", "certificates")) and name.startswith(start)):
            return f"{name} is not allowed: {why}", hint
    if not BUILTINS[name][1]:
        return f"the embedded engine lacks {name}", WITH_OPA
    return f"{name} is not allowed: the embedded engine and OPA give different answers", WITH_OPA


def arity_problem(name: str, given: int) -> tuple[str, str]:
    """What is wrong with the number of arguments, and what to do, or two empty strings."""
    wanted = BUILTINS[name][0]
    if name == "print" or (name == "walk" and given == wanted + 1) or given == wanted:
        return "", ""
    hint = "write `result := …` instead of a last argument" if given == wanted + 1 else ""
    return f"{name} takes {wanted} argument{'' if wanted == 1 else 's'}, not {given}", hint


def _literal(expr: Expr) -> str | None:
    return expr.value if expr.form == "scalar" and isinstance(expr.value, str) else None


def _regex(args: tuple[Expr, ...]) -> str:
    # The pattern comes first, save for replace(text, pattern, value), whose name is checked by the caller.
    pattern = _literal(args[0])
    if pattern is None:
        return "the pattern must be written out, so that it can be checked: patterns are not the same in both engines"
    return regex_problem(pattern)


def _regex_replace(args: tuple[Expr, ...]) -> str:
    return _regex(args[1:2])


def _glob(args: tuple[Expr, ...]) -> str:
    pattern, delimiters = _literal(args[0]), args[1]
    if delimiters.form != "scalar" or delimiters.value is not None:
        return "delimiters do not mean the same in both engines: pass null"
    if pattern is None or set("?[]{}\\!") & set(pattern) or "**" in pattern:
        return "the pattern must be written out, and may hold only text and single *"
    return ""


def _second_is_text(args: tuple[Expr, ...]) -> str:
    if _literal(args[1]):
        return ""
    return "the second argument must be a text that is written out and not empty: an empty one is not the same in both"


def _strings_count(args: tuple[Expr, ...]) -> str:
    text = _literal(args[1]) or ""
    if any(text.startswith(text[length:]) for length in range(1, len(text))):
        return (
            "overlapping places are all counted, unlike in OPA: a text that can overlap itself is not allowed"
        )
    return _second_is_text(args)


def _sprintf(args: tuple[Expr, ...]) -> str:
    text, values = _literal(args[0]), args[1]
    if text is None or values.form != "array":
        return "the format and the array of values must be written out"
    verbs = 0
    rest = text
    while "%" in rest:
        rest = rest[rest.index("%") + 1 :]
        if rest[:1] not in tuple("%vsdq"):
            return "only the verbs %v, %s, %d, %q and %% mean the same in both engines"
        verbs += rest[0] != "%"
        rest = rest[1:]
    if verbs != len(values.parts):
        return f"{verbs} verbs for {len(values.parts)} values"
    return ""


def _walk(args: tuple[Expr, ...]) -> str:
    if len(args) == 1:
        return ""
    pattern = args[1]
    plain = pattern.form == "array" and [part.form for part in pattern.parts] == ["var", "var"]
    if plain:
        return ""
    return "write walk(value, [path, value]) with two plain variables: other patterns find less than in OPA"


_ARGUMENTS: Final[dict[str, Callable[[tuple[Expr, ...]], str]]] = {
    "regex.match": _regex,
    "regex.find_n": _regex,
    "regex.find_all_string_submatch_n": _regex,
    "regex.replace": _regex_replace,
    "glob.match": _glob,
    "indexof": _second_is_text,
    "indexof_n": _second_is_text,
    "split": _second_is_text,
    "strings.count": _strings_count,
    "sprintf": _sprintf,
    "walk": _walk,
}


def argument_problem(name: str, args: tuple[Expr, ...]) -> str:
    """What is wrong with how an allowed builtin is used, or an empty string. The arity is right already."""
    check = _ARGUMENTS.get(name)
    problem = check(args) if check is not None else ""
    return f"{name}: {problem}" if problem else ""
