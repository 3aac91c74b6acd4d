"""HCP Terraform and Terraform Enterprise run tasks: the trigger. The work on it is in `run_task_work`.

The rules this module keeps:

1. Nothing of a body is read before its signature is right: HMAC-SHA512 over the bytes as they came, compared in
   constant time. A task without a key is not served.
2. URLs in the body count only when their hosts are listed in the settings.
3. 200 is said when the trigger is on the disk, with its token sealed, and never waits for the plan.
4. The same task result is worked on once, however often the trigger comes.

Source: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run-tasks/run-tasks-integration
"""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.routing import Route

from plangate.audit import private_files
from plangate.errors import AuditError, CannotDecideError, UsageError
from plangate.server.contracts.run_task_jobs import Jobs
from plangate.server.contracts.run_task_work import HOSTS, RunTaskSettings, TaskSettings, Trigger, Work
from plangate.server.endpoint import RETRY, Endpoint, Guard
from plangate.server.exchange import Answer, Exchange, HttpProblem
from plangate.server.fetch import FetchRefusedError, networks_of, read_url
from plangate.server.front import Front
from plangate.server_settings import DEFAULT_RULE_SET

NAME: Final = "terraform-run-tasks"
PATH: Final = "/v1/terraform/run-tasks/{task}"
SIGNATURE: Final = b"x-tfc-task-signature"
TEST_TOKEN: Final = "test-token"  # noqa: S105 - how a verification request is recognised
STAGES: Final = ("pre_plan", "post_plan", "pre_apply", "post_apply")
PAYLOAD_VERSION: Final = 1
_MIN_KEY: Final = 16
_MAX_KEY_BYTES: Final = 4_096
_MAX_BODY_BYTES: Final = 256 * 1024
_MAX_ID: Final = 256
_TEST_STAGE: Final = "test"


class RunTasks:
    """The handler."""

    def __init__(self, settings: RunTaskSettings, folder: Path, jobs: Jobs, work: Work) -> None:
        self._settings = settings
        self._keys = {name: _key(folder, task) for name, task in settings.tasks.items()}
        self._jobs = jobs
        self._work = work

    async def trigger(self, exchange: Exchange) -> Answer:
        """``POST /v1/terraform/run-tasks/{task}``."""
        name: str = exchange.parameters["task"]
        key = self._keys.get(name)
        if key is None:
            raise HttpProblem(404, "not_found", "there is no such run task")
        if len(exchange.body) > _MAX_BODY_BYTES:
            raise HttpProblem(413, "too_large", f"the body is bigger than {_MAX_BODY_BYTES} bytes")
        check_signature(key, exchange.body, exchange.header(SIGNATURE))
        trigger = read_trigger(exchange.body)
        if trigger.access_token == TEST_TOKEN:
            return Answer()
        self._check(trigger)
        if not await asyncio.to_thread(self._jobs.add, name, trigger.task_result_id, exchange.body):
            return Answer()
        self._work.wake()
        return Answer()

    def _check(self, trigger: Trigger) -> None:
        """Refuse a trigger that could not be worked on."""
        if trigger.stage not in STAGES:
            raise HttpProblem(400, "invalid_request", f"stage: expected one of: {', '.join(STAGES)}")
        if not 0 < len(trigger.task_result_id) <= _MAX_ID or not trigger.access_token:
            raise HttpProblem(400, "invalid_request", "task_result_id and access_token: expected texts")
        urls = {"task_result_callback_url": trigger.task_result_callback_url}
        if trigger.stage != STAGES[0]:
            urls["plan_json_api_url"] = trigger.plan_json_api_url or ""
        for field, url in urls.items():
            try:
                place = read_url(url).place
            except FetchRefusedError as error:
                raise HttpProblem(400, "invalid_request", f"{field}: {error}") from error
            if place not in self._settings.hosts:
                raise HttpProblem(
                    400,
                    "host_not_listed",
                    f"{field}: its host is not listed",
                    hint=f"the list is server.contracts.{NAME}.hosts",
                )


def check_signature(key: bytes, body: bytes, given: str) -> None:
    """Let only what was signed with the key pass.

    Raises:
        HttpProblem: It was not.
    """
    expected = hmac.new(key, body, hashlib.sha512).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode("latin-1", "replace")):
        raise HttpProblem(401, "unauthorized", "the signature is missing, or not of this body and key")


def read_trigger(body: bytes) -> Trigger:
    """A trigger from its bytes.

    Raises:
        HttpProblem: It is none, or of a kind that is not known here.
    """
    try:
        trigger = msgspec.json.decode(body, type=Trigger)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpProblem(400, "invalid_request", f"not a run task: {error}"[:300]) from error
    if trigger.payload_version != PAYLOAD_VERSION:
        raise HttpProblem(400, "unsupported_version", f"payload_version: expected {PAYLOAD_VERSION}")
    if trigger.stage not in {*STAGES, _TEST_STAGE}:
        raise HttpProblem(400, "invalid_request", f"stage: expected one of: {', '.join(STAGES)}")
    return trigger


def _key(folder: Path, task: TaskSettings) -> bytes:
    """The key of a task, without the line break that editors put behind it.

    Raises:
        UsageError: It cannot be read, or is too short.
    """
    path = folder / task.key_file
    try:
        content = private_files.read(path, max_bytes=_MAX_KEY_BYTES, secret=True)
    except AuditError as error:
        raise UsageError(str(error), hint=error.hint) from error
    key = (content or b"").strip()
    if len(key) < _MIN_KEY:
        raise UsageError(f"{path}: expected the run task's HMAC key, of at least {_MIN_KEY} characters")
    return key


def settings_of(settings: Mapping[str, Any]) -> RunTaskSettings:
    """Settings, checked.

    Raises:
        UsageError: They make no sense.
    """
    at = f"server.contracts.{NAME}"
    try:
        found = msgspec.convert(dict(settings), RunTaskSettings)
    except msgspec.ValidationError as error:
        raise UsageError(f"{at}: {error}") from error
    if not found.tasks:
        raise UsageError(f"{at}.tasks: there is none", hint="tasks: {NAME: {key_file: FILE}}")
    if not found.hosts or any("/" in host or "*" in host for host in (*found.hosts, *found.storage_hosts)):
        raise UsageError(f"{at}.hosts: expected names of hosts, e.g. {HOSTS[0]}")
    if found.max_plan_bytes <= 0:
        raise UsageError(f"{at}.max_plan_bytes: {found.max_plan_bytes} (expected more than 0)")
    networks_of(found.private_networks)
    return found


def routes(front: Front, guard: Guard, settings: Mapping[str, Any]) -> Sequence[Route]:
    """See `plangate.server.contracts.Contract`."""
    chosen = settings_of(settings)
    for name, task in chosen.tasks.items():
        if task.rule_set != DEFAULT_RULE_SET and task.rule_set not in front.server.rule_sets:
            raise UsageError(f"server.contracts.{NAME}.tasks.{name}.rule_set: no rule set {task.rule_set!r}")
    jobs = Jobs(front.folder / "run-tasks")
    work = Work(front, guard, chosen, jobs)
    front.background.append(work.run)
    tasks = RunTasks(chosen, front.settings.folder, jobs, work)

    async def trigger(exchange: Exchange) -> Answer:
        try:
            return await tasks.trigger(exchange)
        except CannotDecideError as error:
            raise HttpProblem(503, "not_stored", "the request could not be stored", headers=RETRY) from error

    return [Route(PATH, Endpoint(guard, trigger), methods=["POST"])]
