from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.executor.base import ExecutionEvent
from plangate.executor.terraform_events import MAX_MESSAGE, NOT_JSON, OTHER, TOO_LONG, Listener

SECRET = "hunter2hunter2"


def scrub(text: str) -> str:
    return text.replace(SECRET, "(redacted)")


def heard(*lines: object) -> tuple[Listener, list[ExecutionEvent]]:
    listener = Listener(scrub)
    told = [listener.hear(msgspec.json.encode(line)) for line in lines]
    return listener, [event for event in told if event]


def a_hook(kind: str, **fields: object) -> dict[str, object]:
    return {
        "@level": "info",
        "@message": f"x: Creation complete after 0s [id={SECRET}]",
        "type": kind,
        "hook": {"resource": {"addr": 'terraform_data.x["a"]'}, "action": "create"} | fields,
    }


def a_diagnostic(**fields: object) -> dict[str, object]:
    return {"type": "diagnostic", "@message": "Error: x", "diagnostic": {"severity": "error"} | fields}


def test_a_step_is_told_in_our_words_without_any_value() -> None:
    listener, told = heard(a_hook("apply_complete", id_key="id", id_value=SECRET, elapsed_seconds=2))

    assert told == [
        ExecutionEvent(
            type="apply_complete",
            address='terraform_data.x["a"]',
            action="create",
            message="create: complete",
            elapsed_s=2.0,
        )
    ]
    assert listener.heard.completed == {('terraform_data.x["a"]', "create"): 1}


def test_what_a_provisioner_writes_is_counted_and_not_told() -> None:
    listener, told = heard(a_hook("provision_progress", provisioner="local-exec", output="anything"))

    assert (told, listener.heard.events) == ([], Counter(provision_progress=1))


def test_a_failed_provisioner_is_told_without_its_command_and_output() -> None:
    detail = "Error running command 'curl -H token:abc': exit status 22. Output: abc\n"
    _, told = heard(
        a_diagnostic(summary="local-exec provisioner error", detail=detail, address="terraform_data.x"),
        a_diagnostic(summary="remote-exec provisioner error", detail="timeout - abc"),
    )

    assert [event.message for event in told] == [
        "local-exec provisioner error: exit status 22",
        "remote-exec provisioner error",
    ]


def test_values_quoted_from_the_source_are_left_out() -> None:
    snippet = {"code": "x = var.y", "values": [{"traversal": "var.y", "statement": "is 12345"}]}
    listener, told = heard(
        a_diagnostic(summary="Bad", detail=f"saw {SECRET}", address="a.b", snippet=snippet)
    )

    assert told == [
        ExecutionEvent(type="diagnostic", address="a.b", action="error", message="Bad: saw (redacted)")
    ]
    assert listener.heard.errors == ["a.b: Bad: saw (redacted)"]


def test_texts_are_redacted_before_they_are_cut_and_cannot_move_the_cursor() -> None:
    long = "x" * (MAX_MESSAGE - 10) + SECRET
    _, told = heard(a_diagnostic(summary=long), a_diagnostic(summary="\x1b[2J\nred\x07\u202e"))

    assert (len(told[0].message), SECRET[:4] in told[0].message) == (MAX_MESSAGE, False)
    assert told[1].message == "[2J red"


def test_a_text_that_cannot_be_redacted_is_withheld() -> None:
    def broken(_text: str) -> str:
        raise ZeroDivisionError

    event = Listener(broken).hear(msgspec.json.encode(a_diagnostic(summary=SECRET, address=SECRET)))

    assert event is not None
    assert SECRET not in repr(event)
    assert event.message.startswith("(withheld")


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        (None, TOO_LONG),
        (b"Terraform crashed", NOT_JSON),
        (b"\xff\xfe", NOT_JSON),
        (b"[]", NOT_JSON),
        (b"[" * 100_000, NOT_JSON),
        (b"{}", OTHER),
        (b'{"type": 1}', OTHER),
        (b'{"type": "a b"}', OTHER),
        (b'{"type": "' + b"a" * 50 + b'"}', OTHER),
    ],
)
def test_a_line_that_is_not_understood_is_counted_and_never_trusted(line: bytes | None, counted: str) -> None:
    listener = Listener(scrub)
    listener.hear(line)

    assert (listener.heard.events, listener.heard.refused, listener.heard.summary) == (
        Counter({counted: 1}),
        False,
        None,
    )


def test_it_was_refused_only_if_nothing_but_the_refusal_was_heard() -> None:
    version, error = {"type": "version"}, a_diagnostic(summary="no")
    warning = {"type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "hm"}}

    cases: dict[str, tuple[object, ...]] = {
        "refused": (version, warning, error),
        "waited": (version, {"type": "state_lock_acquire"}, {"type": "log"}, error),
        "no version": (error,),
        "no error": (version, warning),
        "listed changes": (version, {"type": "planned_change"}, error),
        "began": (version, a_hook("apply_start"), error),
        "not understood": (version, [], error),
        "nothing": (),
    }
    found = {name: heard(*lines)[0].heard.refused for name, lines in cases.items()}

    assert [name for name, refused in found.items() if refused] == ["refused", "waited"]


def test_a_step_that_failed_without_an_error_that_names_it_was_never_answered() -> None:
    told = (
        a_hook("apply_start", resource={"addr": "x.a"}),
        a_hook("apply_errored", resource={"addr": "x.a"}),
        a_hook("apply_start", resource={"addr": "x.b"}),
        a_hook("apply_errored", resource={"addr": "x.b"}),
        a_hook("apply_start", resource={"addr": "x.c"}),
        a_diagnostic(summary="refused", address="x.a"),
        a_diagnostic(summary="Plugin did not respond"),
    )
    said = heard(*told)[0].heard
    assert (said.unanswered, said.started - said.ended) == ({"x.b"}, Counter({"x.c": 1}))


@pytest.mark.parametrize("operation", ["plan", None, 1, [], "destroyed"])
def test_only_the_summary_of_an_apply_counts(operation: object) -> None:
    listener, _ = heard({"type": "change_summary", "changes": {"add": 1, "operation": operation}})

    assert listener.heard.summary is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(["apply_complete", "apply_errored", "diagnostic", "change_summary", "version", "odd"])


@given(st.lists(st.binary(max_size=60) | st.none(), max_size=5))
def test_arbitrary_bytes_never_look_like_success(lines: list[bytes | None]) -> None:
    listener = Listener(scrub)
    for line in lines:
        listener.hear(line)

    assert (listener.heard.summary, listener.heard.refused) == (None, False)


@given(WORDS, st.fixed_dictionaries({}, optional=dict.fromkeys(["hook", "diagnostic", "changes"], JSON)))
def test_any_json_of_any_type_is_read_without_an_error(word: str, fields: dict[str, object]) -> None:
    listener, told = heard({"type": word} | fields)

    assert listener.heard.events == Counter({word: 1})
    assert all(event.message.isprintable() and len(event.message) <= MAX_MESSAGE for event in told)


def test_the_values_of_an_answer_that_was_not_planned_are_left_out() -> None:
    detail = 'When applying changes to x.a, "p" produced an unexpected new value: .key: was cty.StringVal("k"), but now x.'
    listener, _ = heard(
        a_diagnostic(summary="Provider produced inconsistent result after apply", detail=detail)
    )
    assert listener.heard.errors == [
        (
            "Provider produced inconsistent result after apply:"
            ' When applying changes to x.a, "p" produced an unexpected new value: .key'
        )
    ]
