"""Run tasks of HCP Terraform, against a double of it: signatures, plans, callbacks, restarts, and hostile triggers."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.command_line import ALLOWED, DENIED
from tests.run_tasks import TOKEN, Terraform, assert_nowhere, send, settings_for, signature, terraform
from tests.server import Server, serving


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    with terraform(tmp_path_factory.mktemp("terraform")) as found:
        yield found


@pytest.fixture(scope="module")
def server(double: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve")
    with serving(folder, settings_for(double, "      max_plan_bytes: 300000\n"), ("--workers", "2")) as found:
        yield found


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as found:
        yield found


@pytest.fixture
def task(double: Terraform) -> Terraform:
    """The double with nothing behind it, and a plan that is allowed."""
    double.plan[:] = [(200, {}, ALLOWED.read_bytes())]
    double.callbacks.clear()
    double.refuse.clear()
    double.seen.clear()
    return double


def payload(task: Terraform, request: pytest.FixtureRequest, **fields: Any) -> dict[str, Any]:
    """A trigger with an id of this test's own."""
    return task.payload(task_result_id=request.node.name, **fields)


def decisions(server: Server, reference: str) -> list[dict[str, Any]]:
    return [
        record["body"]
        for record in server.records()
        if record["type"] == "decision" and record["body"].get("request", {}).get("reference") == reference
    ]


# --- the road


@pytest.mark.parametrize("stage", ["post_plan", "pre_apply", "post_apply"])
def test_an_allowed_plan_passes_and_is_recorded(
    task: Terraform, server: Server, client: httpx.Client, request: pytest.FixtureRequest, stage: str
) -> None:
    answer = send(client, payload(task, request, stage=stage))
    assert (answer.status_code, answer.content) == (200, b"")
    final = task.final()
    assert final["status"] == "passed"
    assert {o["attributes"]["tags"]["Status"][0]["label"] for o in final["outcomes"]} <= {"Warning"}
    (recorded,) = decisions(server, request.node.name)
    assert final["message"].startswith(f"[{recorded['decision_id']}] ")
    assert final["url"] == f"https://gate.example.com/v1/decisions/{recorded['decision_id']}"
    assert recorded["result"] == "allow"
    assert recorded["request"] == {
        "interface": "terraform-run-task",
        "reference": request.node.name,
        "user": "alice",
        "run": "acme/net/run-1",
        "stage": stage,
        "enforcement": "mandatory",
    }
    assert task.callbacks[0][1]["data"]["attributes"]["status"] == "running"


def test_a_denied_plan_fails_with_outcomes_in_markdown(
    task: Terraform, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    task.plan[:] = [(200, {}, DENIED.read_bytes())]
    assert send(client, payload(task, request)).status_code == 200
    final = task.final()
    assert final["status"] == "failed"
    assert "denied: " in final["message"]
    assert final["outcomes"]
    for outcome in final["outcomes"]:
        assert outcome["type"] == "task-result-outcomes"
        attributes = outcome["attributes"]
        assert {"outcome-id", "description", "body", "tags", "url"} <= set(attributes)
        assert attributes["body"].startswith("# ")
        assert "\n" not in attributes["description"]
        assert attributes["tags"]["Status"][0]["level"] in {"none", "info", "warning", "error"}
    assert len({outcome["attributes"]["outcome-id"] for outcome in final["outcomes"]}) == len(
        final["outcomes"]
    )


def test_outcomes_are_sent_only_to_those_that_know_them(
    task: Terraform, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    task.plan[:] = [(200, {}, DENIED.read_bytes())]
    without = payload(task, request)
    del without["capabilities"]
    assert send(client, without).status_code == 200
    assert task.final()["outcomes"] == []


def test_before_the_plan_nothing_passes_by_default(
    task: Terraform, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    early = payload(task, request, stage="pre_plan")
    del early["plan_json_api_url"]
    assert send(client, early).status_code == 200
    final = task.final()
    assert (final["status"], "post_plan" in final["message"]) == ("failed", True)


# --- the plan


def test_a_plan_that_is_not_ready_is_asked_for_again(
    task: Terraform, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    task.plan[:] = [(204, {}, b""), (503, {}, b""), (200, {}, ALLOWED.read_bytes())]
    assert send(client, payload(task, request)).status_code == 200
    assert task.final()["status"] == "passed"
    assert [path for method, path, _ in task.seen if method == "GET"] == [
        "/api/v2/plans/plan-1/json-output"
    ] * 3


def test_where_a_redirect_leads_no_token_goes(
    task: Terraform, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    task.plan[:] = [(307, {"location": f"{task.url}/storage/plan"}, b""), (200, {}, ALLOWED.read_bytes())]
    assert send(client, payload(task, request)).status_code == 200
    assert task.final()["status"] == "passed"
    assert ("GET", "/storage/plan", "") in task.seen


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1:1/plan",
        "https://169.254.169.254/latest/meta-data/",
        "http://localhost/plan",
        "https://elsewhere.example.com/plan",
        "https://app.terraform.io@127.0.0.1/plan",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_redirect_to_anywhere_else_fails(
    task: Terraform, server: Server, client: httpx.Client, request: pytest.FixtureRequest, location: str
) -> None:
    task.plan[:] = [(302, {"location": location}, b"")]
    assert send(client, payload(task, request)).status_code == 200
    assert task.final()["status"] == "failed"
    assert decisions(server, request.node.name) == []


def test_a_redirect_after_a_redirect_fails(
    task: Terraform, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    task.plan[:] = [(307, {"location": f"{task.url}/storage/plan"}, b"")]
    assert send(client, payload(task, request)).status_code == 200
    assert task.final()["status"] == "failed"


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b" " * 300_001),
        (200, {}, b""),
        (200, {}, b"{}"),
        (200, {}, b"[" * 10_000),
        (200, {}, ALLOWED.read_bytes()[:-20]),
        (200, {}, ALLOWED.read_bytes().replace(b'"format_version"', b'"format_version\xff"', 1)),
        (200, {"content-encoding": "gzip"}, ALLOWED.read_bytes()),
        (404, {}, b""),
        (200, {}, b"apiVersion: v1\nkind: ConfigMap\n"),
    ],
    ids=[
        "too big",
        "empty",
        "no plan",
        "deep",
        "cut off",
        "not utf-8",
        "packed",
        "not there",
        "another format",
    ],
)
def test_a_plan_that_cannot_be_judged_fails_or_is_judged_for_what_it_is(
    task: Terraform,
    client: httpx.Client,
    request: pytest.FixtureRequest,
    answer: tuple[int, dict[str, str], bytes],
) -> None:
    task.plan[:] = [answer]
    assert send(client, payload(task, request)).status_code == 200
    assert task.final()["status"] == "failed"


# --- callbacks


def test_a_late_callback_is_sent_again_until_it_is_taken(
    task: Terraform, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    task.refuse[:] = [500, 429]
    assert send(client, payload(task, request)).status_code == 200
    assert task.final()["status"] == "passed"
    sent = [method for method, _, _ in task.seen if method == "PATCH"]
    assert len(sent) >= 4


def test_a_callback_that_is_refused_is_not_sent_again(
    task: Terraform, server: Server, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    task.refuse[:] = [422] * 5
    assert send(client, payload(task, request)).status_code == 200
    line = server.wait_for("refused with 422")
    assert json.loads(line)["decision_id"]
    time.sleep(1.5)
    assert (len(task.refuse), task.finals()) == (4, [])


def test_the_same_trigger_again_is_one_evaluation(
    task: Terraform, server: Server, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    trigger = payload(task, request)
    assert [send(client, trigger).status_code for _ in range(5)] == [200] * 5
    task.final()
    assert send(client, trigger).status_code == 200
    time.sleep(2.5)
    assert len(task.finals()) == 1
    assert len(decisions(server, request.node.name)) == 1


# --- who may ask


def test_a_verification_request_is_answered_and_nothing_else(
    task: Terraform, server: Server, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    for stage in ("test", "post_plan"):
        ping = payload(
            task,
            request,
            access_token="test-token",
            stage=stage,
            task_result_callback_url="https://no.invalid/",
        )
        assert send(client, ping).status_code == 200
        assert send(client, ping, sign=None).status_code == 401
    time.sleep(0.5)
    assert (task.seen, decisions(server, request.node.name)) == ([], [])


@pytest.mark.parametrize(
    "sign",
    [
        None,
        lambda _: "",
        lambda body: signature(body).upper(),
        lambda body: signature(body)[:-1],
        lambda body: signature(body, "another-hmac-key-of-it"),
        lambda body: signature(body + b" "),
        lambda _: signature(b""),
        lambda _: "0" * 128,
    ],
    ids=["absent", "empty", "upper-case", "cut off", "other key", "other body", "of nothing", "zeros"],
)
def test_what_is_not_signed_with_the_key_is_not_read(
    task: Terraform, client: httpx.Client, request: pytest.FixtureRequest, sign: Any
) -> None:
    assert send(client, payload(task, request), sign=sign).status_code == 401
    assert send(client, b"not even JSON", sign=sign if sign is None else lambda _: "0").status_code == 401
    time.sleep(0.3)
    assert task.seen == []


@pytest.mark.parametrize(
    "fields",
    [
        {"plan_json_api_url": "https://elsewhere.example.com/plan"},
        {"plan_json_api_url": "https://169.254.169.254/"},
        {"plan_json_api_url": "http://localhost/plan"},
        {"plan_json_api_url": None},
        {"task_result_callback_url": "https://elsewhere.example.com/callback"},
        {"task_result_callback_url": "https://localhost/callback"},
        {"task_result_callback_url": "https://localhost@elsewhere.example.com/"},
        {"task_result_callback_url": ""},
        {"stage": "post_destroy"},
        {"stage": "test"},
        {"payload_version": 2},
        {"payload_version": "1"},
        {"task_result_id": ""},
        {"access_token": ""},
        {"access_token": None},
    ],
)
def test_triggers_that_lead_elsewhere_or_are_not_understood_are_refused(
    task: Terraform, client: httpx.Client, request: pytest.FixtureRequest, fields: dict[str, Any]
) -> None:
    assert send(client, payload(task, request) | fields).status_code == 400
    time.sleep(0.1)
    assert task.seen == []


@pytest.mark.parametrize("body", [b"", b"null", b"[" * 100_000, b'{"payload_version": 1', b"\xff\xfe{}"])
def test_signed_nonsense_is_a_bad_request(client: httpx.Client, body: bytes) -> None:
    assert send(client, body).status_code == 400


def test_an_oversized_trigger_is_refused(client: httpx.Client) -> None:
    assert send(client, b" " * 300_000).status_code == 413


def test_tasks_that_nobody_named_are_not_there(client: httpx.Client) -> None:
    assert client.post("/v1/terraform/run-tasks/other", content=b"{}").status_code == 404


def test_the_token_is_in_no_file_and_in_no_line(
    task: Terraform, server: Server, client: httpx.Client, request: pytest.FixtureRequest
) -> None:
    task.plan[:] = [(204, {}, b"")] * 3 + [(200, {}, ALLOWED.read_bytes())]
    assert send(client, payload(task, request)).status_code == 200
    assert_nowhere(TOKEN, server.folder, server.lines)
    task.final()
    assert_nowhere(TOKEN, server.folder, server.lines, server.records())


# --- restarts


def test_what_was_accepted_outlives_a_restart(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with terraform(tmp_path) as double:
        text = settings_for(double)
        double.plan[:] = [(204, {}, b"")]
        folder = tmp_path / "serve"
        folder.mkdir()
        with serving(folder, text) as first, first.client() as client:
            assert send(client, payload(double, request)).status_code == 200
            first.kill()
        assert double.finals() == []
        double.plan[:] = [(200, {}, ALLOWED.read_bytes())]
        with serving(folder, text) as second:
            assert double.final()["status"] == "passed"
            assert len(decisions(second, request.node.name)) == 1
            second.wait_for('"outcome":"delivered"')
        assert not list((folder / ".plangate" / "run-tasks" / "waiting").iterdir())


def test_a_private_address_is_not_asked_even_for_a_listed_host(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with terraform(tmp_path) as double:
        text = settings_for(double).replace(
            'private_networks: [127.0.0.0/8, "::1/128"]', "private_networks: []"
        )
        folder = tmp_path / "serve"
        folder.mkdir()
        with serving(folder, text) as found, found.client() as client:
            assert send(client, payload(double, request)).status_code == 200
            assert "its address may not be asked" in found.wait_for('"run task"')
        assert double.seen == []


def test_an_approval_of_the_plans_bytes_lets_the_next_task_pass(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rules = [
        "bucket-no-public-access",
        "ingress-no-open-admin-ports",
        "instance-no-public-ip",
        "volume-encrypted",
    ]
    overridable = "".join(f"  {rule}: {{enforcement: overridable}}\n" for rule in rules)
    folder = tmp_path / "serve"
    folder.mkdir()
    with terraform(tmp_path) as double:
        text = settings_for(double).replace("unsafe_anonymous: [read]", "unsafe_anonymous: [read, approve]")
        with serving(folder, f"rules:\n{overridable}{text}") as found, found.client() as client:
            double.plan[:] = [(200, {}, DENIED.read_bytes())]
            send(client, payload(double, request))
            assert double.final()["status"] == "failed"
            (denied,) = decisions(found, request.node.name)
            body = {
                "plan_sha256": denied["subject"]["sha256"],
                "rules": [*rules, "bucket-versioned"],
                "reason": "seen",
                "valid_minutes": 5,
            }
            given = client.post("/v1/approvals", json=body)
            assert given.status_code == 201, given.text
            double.callbacks.clear()
            send(client, double.payload(task_result_id="after-the-approval", stage="pre_apply"))
            assert double.final()["status"] == "passed"
