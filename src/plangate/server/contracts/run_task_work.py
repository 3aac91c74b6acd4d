"""What is done about a run task once its trigger is stored: fetch the plan, judge it, call back.

The rules this module keeps:

1. The token goes to listed hosts only, never where a redirect leads, and into no log.
2. A redirect of the plan is not followed; its target is fetched as a URL of its own, once, without the token, and only
   from a listed host of storage.
3. ``passed`` is said of a recorded decision that lets pass, and of nothing else, unless the settings say so of
   ``pre_plan``.
4. What the last callback says is on the disk before it is sent, and is the same after a restart.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Final
from urllib.parse import urljoin

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from plangate.audit.record import MAX_TEXT
from plangate.errors import AuditError, CannotDecideError, PlangateError
from plangate.server.approvals import Approvals
from plangate.server.contracts.run_task_answers import decided_callback, failed_callback, running_callback
from plangate.server.contracts.run_task_jobs import Job, Jobs
from plangate.server.endpoint import Guard
from plangate.server.exchange import Caller, HttpProblem
from plangate.server.fetch import Fetched, Fetcher, FetchFailedError, FetchRefusedError, Url, read_url
from plangate.server.front import Asked, Front
from plangate.server.told import cut, is_about, one_line, told
from plangate.server_settings import DEFAULT_RULE_SET

HOSTS: Final = ("app.terraform.io",)
STORAGE_HOSTS: Final = ("archivist.terraform.io",)
RUNNING_EVERY_S: Final = 60.0
"""The other side gives up when it hears nothing for ten minutes."""
LIFE_S: Final = 3_600.0
"""It gives up after an hour, whatever it hears."""
PATIENCE_S: Final = 480.0
"""For one plan, and for one callback."""
MAX_AT_A_TIME: Final = 4
FORMAT: Final = "terraform-plan"
_SCAN_S: Final = 2.0
_PRUNE_S: Final = 3_600.0
_CALLBACK_TIMEOUT_S: Final = 30.0
_FETCH_TIMEOUT_S: Final = 120.0
_MAX_ANSWER_BYTES: Final = 64 * 1024
_MAX_PAUSE_S: Final = 30.0
_FIRST_PAUSE_S: Final = 0.5
_OK: Final = 200
_NOT_READY: Final = 204
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_BUSY: Final = 429
_SERVER_ERROR: Final = 500


class TaskSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One run task: its HMAC key, and under which rule set it asks."""

    key_file: str
    rule_set: str = DEFAULT_RULE_SET


class RunTaskSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``server.contracts.terraform-run-tasks``; see docs/how-to/terraform-run-tasks.md."""

    tasks: dict[str, TaskSettings] = {}
    hosts: list[str] = field(default_factory=lambda: list(HOSTS))
    storage_hosts: list[str] = field(default_factory=lambda: list(STORAGE_HOSTS))
    private_networks: list[str] = []
    ca_file: str = ""
    max_plan_bytes: int = 128 * 1024 * 1024
    public_url: str = ""
    unsafe_pass_pre_plan: bool = False


class Capabilities(Struct, frozen=True):
    """What the other side understands."""

    outcomes: bool = False


class Trigger(Struct, frozen=True):
    """What the other side sends; of that what we need."""

    payload_version: int
    stage: str
    access_token: str
    capabilities: Capabilities | None = None
    organization_name: str | None = None
    plan_json_api_url: str | None = None
    run_created_by: str | None = None
    run_id: str | None = None
    task_result_callback_url: str = ""
    task_result_enforcement_level: str | None = None
    task_result_id: str = ""
    workspace_name: str | None = None

    @property
    def name(self) -> str:
        """The run, for messages."""
        parts = (self.organization_name, self.workspace_name, self.run_id)
        return cut(one_line("/".join(part for part in parts if part)), 300) or "run task"


class Work:
    """Works on jobs beside the requests.

    Args:
        front: Decides.
        guard: Has the log of requests.
        settings: Checked.
        jobs: The jobs.
    """

    def __init__(self, front: Front, guard: Guard, settings: RunTaskSettings, jobs: Jobs) -> None:
        self._front = front
        self._log = guard.log
        self._settings = settings
        self._jobs = jobs
        ca_file = str(front.settings.folder / settings.ca_file) if settings.ca_file else ""
        self._fetcher = Fetcher(settings.private_networks, ca_file)
        self._approvals = Approvals(front)
        self._woken = asyncio.Event()
        self._running: dict[str, asyncio.Task[bool]] = {}

    def wake(self) -> None:
        """Say that there is a new job."""
        self._woken.set()

    async def run(self) -> None:
        """Work on what waits, also on what other processes left, until cancelled."""
        pruned = 0.0
        try:
            while True:
                try:
                    if time.monotonic() - pruned > _PRUNE_S:
                        pruned = time.monotonic()
                        await asyncio.to_thread(self._jobs.prune)
                    self._begin(await asyncio.to_thread(self._jobs.waiting))
                except (
                    OSError
                ) as error:  # a full table of files, say, passes; what waits must not wait for ever
                    self._log.problem("run tasks", error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), _SCAN_S)
                self._woken.clear()
        finally:
            for task in list(self._running.values()):
                task.cancel()

    def _begin(self, ids: list[str]) -> None:
        """Work on jobs that nobody else has; one that another process has takes no place here, and wakes nobody."""
        for job_id in ids:
            if job_id in self._running or len(self._running) >= MAX_AT_A_TIME:
                continue
            taking = contextlib.ExitStack()
            try:
                job = taking.enter_context(self._jobs.taken(job_id))
            except AuditError as error:
                self._log.problem(job_id, error)
                continue
            if job is None:
                taking.close()
                continue
            task = asyncio.create_task(self._one(job))
            self._running[job_id] = task
            task.add_done_callback(partial(self._ended, job_id, taking))

    def _ended(self, job_id: str, taking: contextlib.ExitStack, task: asyncio.Task[bool]) -> None:
        taking.close()
        self._running.pop(job_id, None)
        if not task.cancelled() and task.result():
            self._woken.set()

    async def _one(self, job: Job) -> bool:
        """Work on one job, and say whether it is done.

        Whatever goes wrong, it stays in its folder until it is done or too old, and is taken up again with the next
        look at the folder, not at once.
        """
        try:
            await self._worked_on(job)
        except PlangateError as error:
            self._log.problem(job.id, error)
        except Exception as error:  # noqa: BLE001 - the next job must not suffer from it
            self._log.crash(job.id, error)
        else:
            return True
        return False

    async def _worked_on(self, job: Job) -> None:
        trigger = msgspec.json.decode(job.body, type=Trigger)
        if time.time() - job.since > LIFE_S:
            self._jobs.finish(job, "expired")
            return
        if not job.final:
            telling = asyncio.create_task(self._keep_telling(trigger))
            try:
                job = await self._judged(job, trigger)
            finally:
                telling.cancel()
                await asyncio.wait([telling])  # nothing of it may come after the last callback
            await asyncio.to_thread(self._jobs.settle, job)
        outcome = await self._call_back(trigger, job.final, PATIENCE_S)
        self._jobs.finish(job, outcome)
        self._log.say(
            "info" if outcome == "delivered" else "error",
            {"event": "run task", "job": job.id, "outcome": outcome, "decision_id": job.decision_id},
        )

    async def _keep_telling(self, trigger: Trigger) -> None:
        """Say ``running`` now and then."""
        while True:
            with contextlib.suppress(PlangateError):
                await self._send_back(trigger, running_callback())
            await asyncio.sleep(RUNNING_EVERY_S)

    # --- the decision

    async def _judged(self, job: Job, trigger: Trigger) -> Job:
        """The job with its last callback."""
        if trigger.stage == "pre_plan":
            passes = self._settings.unsafe_pass_pre_plan
            message = "nothing is planned yet, so nothing was judged; add this run task to post_plan"
            return replace(job, final=failed_callback(message, status="passed" if passes else "failed"))
        try:
            plan = await self._plan(trigger)
            return await self._decided(job, trigger, plan)
        except AuditError as error:
            self._front.metrics.record_failures.inc()
            self._log.problem(job.id, error)
            return replace(job, final=failed_callback("the decision could not be recorded, so there is none"))
        except HttpProblem as problem:
            return replace(job, final=failed_callback(problem.problem.message))
        except CannotDecideError as error:
            self._log.problem(job.id, error)
            return replace(
                job, final=failed_callback(f"the plan could not be judged: {one_line(str(error))}")
            )
        except Exception as error:  # noqa: BLE001 - a crash is no decision, and the other side has to hear of it
            self._log.crash(job.id, error)
            return replace(job, final=failed_callback("an internal error; nothing was allowed"))

    async def _decided(self, job: Job, trigger: Trigger, plan: Fetched) -> Job:
        task = self._settings.tasks.get(job.task)
        if task is None:
            raise CannotDecideError("this run task is no longer in the settings")
        said = {
            "reference": trigger.task_result_id,
            "user": trigger.run_created_by or "",
            "run": trigger.name,
            "stage": trigger.stage,
            "enforcement": trigger.task_result_enforcement_level or "",
        }
        asked = Asked(
            data=plan.body,
            name=trigger.name,
            caller=Caller(
                name=f"run-task {job.task}", identity=f"run-task {job.task}", may=frozenset({"ask"})
            ),
            rule_set=task.rule_set,
            request={"interface": "terraform-run-task"}
            | {key: cut(one_line(text), MAX_TEXT) for key, text in said.items() if text},
            approvals=lambda: self._approvals.of(sha256(plan.body).hexdigest(), task.rule_set),
        )
        decided = await self._front.decide(asked)
        if decided.allowed and not is_about(decided, FORMAT):
            raise CannotDecideError(f"[{decided.decision_id}] what came is not a Terraform plan")
        base = self._settings.public_url.rstrip("/")
        return replace(
            job,
            decision_id=decided.decision_id,
            final=decided_callback(
                decided,
                told(decided),
                url=f"{base}/v1/decisions/{decided.decision_id}" if base else "",
                with_outcomes=trigger.capabilities is not None and trigger.capabilities.outcomes,
            ),
        )

    # --- fetching

    async def _plan(self, trigger: Trigger) -> Fetched:
        """The plan's JSON.

        Raises:
            CannotDecideError: There is none to be had.
        """
        url = self._listed(trigger.plan_json_api_url or "", self._settings.hosts)
        headers = {"authorization": f"Bearer {trigger.access_token}"}
        return await self._patiently(url, headers)

    async def _patiently(self, url: Url, headers: Mapping[str, str]) -> Fetched:
        until, pause_s = time.monotonic() + PATIENCE_S, _FIRST_PAUSE_S
        while True:
            try:
                answer = await self._fetched(url, headers)
                if answer.status == _OK:
                    return answer
                problem = FetchFailedError(f"{url.place}: answered {answer.status} instead of the plan")
                if answer.status != _NOT_READY and not _is_passing(answer.status):
                    raise FetchRefusedError(str(problem))
            except FetchFailedError as error:
                problem = error
            if time.monotonic() + pause_s > until:
                raise problem
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _MAX_PAUSE_S)

    async def _fetched(self, url: Url, headers: Mapping[str, str]) -> Fetched:
        limit = self._settings.max_plan_bytes
        answer = await self._fetcher.send(
            "GET", url, headers=headers, max_bytes=limit, timeout_s=_FETCH_TIMEOUT_S
        )
        if answer.status not in _REDIRECTS:
            return answer
        target = urljoin(f"https://{url.place}{url.target}", answer.headers.get("location", ""))
        elsewhere = self._listed(target, self._settings.storage_hosts)
        # No token: it is not for them.
        return await self._fetcher.send(
            "GET", elsewhere, headers={}, max_bytes=limit, timeout_s=_FETCH_TIMEOUT_S
        )

    @staticmethod
    def _listed(text: str, hosts: list[str]) -> Url:
        url = read_url(text)
        if url.place not in hosts:
            raise FetchRefusedError("the plan is at a host that is not listed")
        return url

    # --- calling back

    async def _call_back(self, trigger: Trigger, body: bytes, patience_s: float) -> str:
        """Deliver the last callback: ``delivered``, or why not."""
        until, pause_s = time.monotonic() + patience_s, _FIRST_PAUSE_S
        while True:
            try:
                status = (await self._send_back(trigger, body)).status
                if _OK <= status < _OK + 100:
                    return "delivered"
                if not _is_passing(status):
                    return f"refused with {status}"
                said = f"answered {status}"
            except FetchFailedError:
                said = "no answer"
            except FetchRefusedError:
                return "its address may not be asked"
            if time.monotonic() + pause_s > until:
                return f"given up: {said}"
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _MAX_PAUSE_S)

    async def _send_back(self, trigger: Trigger, body: bytes) -> Fetched:
        url = self._listed(trigger.task_result_callback_url, self._settings.hosts)
        headers = {
            "authorization": f"Bearer {trigger.access_token}",
            "content-type": "application/vnd.api+json",
        }
        return await self._fetcher.send(
            "PATCH",
            url,
            headers=headers,
            body=body,
            max_bytes=_MAX_ANSWER_BYTES,
            timeout_s=_CALLBACK_TIMEOUT_S,
        )


def _is_passing(status: int) -> bool:
    """Whether asking again may help."""
    return status == _BUSY or status >= _SERVER_ERROR
