"""What is asked of an OPA: to hold a revision, and to judge with it. Every answer is checked before it counts."""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from plangate.errors import EngineError
from plangate.policy.answers import Reply
from plangate.policy.opa.base import Deadline, Endpoint, RefusedError, RuleFailedError, UnavailableError
from plangate.policy.opa.revision import Revision
from plangate.policy.opa.transport import EncodedDocument, GuardedClient

_PAUSE_S: Final = 0.05
_MAX_PAUSE_S: Final = 2.0
_STRICT: Final = {"strict-builtin-errors": "true", "provenance": "true"}
"""Without the first, a builtin that fails makes its line undefined, and the rule silent."""

_PACKAGE: Final = re.compile(r"^[ \t]*package[ \t]+([\w.]+)", re.MULTILINE)
_NAME: Final = re.compile(r"\bdata(?:\.\w+)+")

Result = TypeVar("Result")


class Server:
    """One OPA.

    Args:
        endpoint: Where it is.
        max_answer_bytes: One answer.
        max_listing_bytes: The list of everything that it holds.
    """

    def __init__(self, endpoint: Endpoint, max_answer_bytes: int, max_listing_bytes: int) -> None:
        self.endpoint: Final = endpoint
        self._client: Final = GuardedClient(endpoint, max_answer_bytes)
        self._lister: Final = GuardedClient(endpoint, max_listing_bytes)
        self.version = ""
        self.decision_ids: list[str] = []

    def close(self) -> None:
        """Break off what is going on, and close connections."""
        for client in (self._client, self._lister):
            client.session.break_off()
            client.close_connection()

    def is_healthy(self, deadline: Deadline) -> bool:
        """It answers, and says that it is ready."""
        try:
            return bool(self._call(deadline, "waiting for OPA", self._client.check_health))
        except UnavailableError:
            return False

    # --- Holding a revision -------------------------------------------------------------------------------

    def hold(self, revision: Revision, deadline: Deadline) -> None:
        """Make sure that it holds this revision, all of it and nothing else by its name.

        Raises:
            EngineError: It holds something else by that name, refuses a policy, or does not keep what it was given.
        """
        missing = self._missing(revision, deadline)
        if missing or not self._has_documents(revision, deadline):
            self._upload(revision, missing, deadline)
            self.check(revision, deadline)

    def check(self, revision: Revision, deadline: Deadline) -> None:
        """Insist on this revision being there.

        Raises:
            EngineError: It is not, not all of it, or not alone.
        """
        if missing := self._missing(revision, deadline):
            names = ", ".join(revision.people_say(name) for name in list(missing)[:3])
            raise EngineError(
                f"{self.endpoint.name} does not hold the policies that were loaded: {names} missing"
            )
        if not self._has_documents(revision, deadline):
            raise EngineError(f"{self.endpoint.name} does not hold the data documents that were loaded")

    def _missing(self, revision: Revision, deadline: Deadline) -> dict[str, str]:
        """Ids and texts of what is not there yet."""
        listed = self._retried(deadline, "reading what OPA holds", self._lister, self._lister.policies)
        missing = dict(revision.ids)
        for item in listed:
            identity, text = item.get("id"), item.get("raw")
            wanted = missing.pop(identity, None) if isinstance(identity, str) else None
            if wanted is not None and text == wanted:
                continue
            if wanted is not None:
                raise EngineError(
                    f"{self.endpoint.name} holds another text as {revision.people_say(str(identity))}",
                    hint=f"remove the policy {identity} from it, and find out who changed it",
                )
            if not isinstance(text, str) or revision.prefix in text:
                raise EngineError(
                    f"{self.endpoint.name}: its policy {identity!r} speaks of {revision.prefix[:25]}…, which is ours",
                    hint="remove that policy, and find out who put it there",
                )
        return missing

    def _has_documents(self, revision: Revision, deadline: Deadline) -> bool:
        if not revision.documents:
            return True
        answer = self._retried(
            deadline,
            "reading the data that OPA holds",
            self._client,
            lambda: self._client.query_rule({}, revision.main, "documents", query_params=_STRICT),
        )
        return bool(answer.get("result") == revision.documents)

    def _upload(self, revision: Revision, missing: Mapping[str, str], deadline: Deadline) -> None:
        client, doing = self._client, "uploading policies to OPA"
        if revision.data:
            self._retried(
                deadline, doing, client,
                lambda: client.update_or_create_data(dict(revision.data), revision.prefix),
            )  # fmt: skip
        # OPA compiles everything anew for each policy, and refuses a call of a function that is not there yet: so
        # what is refused waits until others went in. What most others speak of goes first; our module, which calls
        # all others, goes last.
        left: Mapping[str, str] = _most_wanted_first(missing)
        while left:
            waiting: dict[str, str] = {}
            refusal = ""
            for identity, text in left.items():
                put = partial(client.update_policy_from_string, text, identity, rego_compat=False)
                try:
                    self._retried(deadline, doing, client, put)
                except RefusedError as problem:
                    waiting[identity], refusal = text, str(problem)
            if len(waiting) == len(left):
                raise EngineError(
                    f"{self.endpoint.name} refuses the policies: {revision.people_say(refusal)}"
                )
            left = waiting

    # --- Judging ------------------------------------------------------------------------------------------

    def judge(self, revision: Revision, document: bytes, deadline: Deadline) -> tuple[Reply, ...]:
        """One reply per rule of the revision.

        Raises:
            EngineError: There is no such answer.
        """
        encoded = EncodedDocument(document)
        self.decision_ids.clear()
        try:
            found = self.value(encoded, revision.main, "judgement", deadline, "evaluating the policies")
        except RuleFailedError:
            # Some rule spoils the question for all: ask one by one, to find out which.
            return tuple(self._judge_one(revision, rule, encoded, deadline) for rule in revision.rules)
        if not isinstance(found, Mapping) or found.get("revision") != revision.digest:
            raise EngineError(
                f"{self.endpoint.name} does not answer for the policies that were loaded "
                f"(expected revision {revision.digest[:12]}…)"
            )
        answers = found.get("answers")
        if not isinstance(answers, Mapping):
            raise EngineError(f"{self.endpoint.name} gave garbage instead of an answer: no answers")
        if strangers := sorted(answers.keys() - set(revision.rules)):
            raise EngineError(
                f"{self.endpoint.name} answered for rules that it was not asked about: {strangers[:3]}"
            )
        return tuple(
            Reply(value=answers[rule]) if rule in answers else Reply(error="it is undefined")
            for rule in revision.rules
        )

    def _judge_one(
        self, revision: Revision, rule: str, document: EncodedDocument, deadline: Deadline
    ) -> Reply:
        try:
            found = self.value(
                document, revision.main, f"answers/{rule}", deadline, f"evaluating rule {rule}"
            )
        except RuleFailedError as problem:
            return Reply(error=revision.people_say(str(problem)))
        return Reply(error="it is undefined") if found is None else Reply(value=found)

    def value(
        self, document: EncodedDocument, package: str, rule: str, deadline: Deadline, doing: str
    ) -> Any:
        """The value of a rule for a plan, ``None`` when it is undefined.

        Raises:
            EngineError: There is no answer.
        """
        answer = self._retried(
            deadline, doing, self._client,
            lambda: self._client.query_rule(document, package, rule, query_params=_STRICT),
        )  # fmt: skip
        if not isinstance(answer, Mapping):
            raise EngineError(f"{self.endpoint.name} gave garbage instead of an answer")
        self._note(answer)
        return answer.get("result")

    def _note(self, answer: Mapping[str, Any]) -> None:
        identity, provenance = answer.get("decision_id"), answer.get("provenance")
        if isinstance(identity, str) and identity:
            self.decision_ids.append(identity[:100])
        if isinstance(provenance, Mapping) and isinstance(provenance.get("version"), str):
            self.version = provenance["version"][:50]

    def residue(
        self, query: str, unknowns: Sequence[str], document: bytes, deadline: Deadline
    ) -> Mapping[str, Any]:
        """What is left of a query when everything known is worked in: OPA's ``queries`` and ``support``.

        Raises:
            EngineError: There is no answer.
        """
        answer = self._call(
            deadline, "asking what unknown values can change",
            lambda: self._client.compile_query(query, EncodedDocument(document), list(unknowns)),
        )  # fmt: skip
        result = answer.get("result") if isinstance(answer, Mapping) else None
        if not isinstance(result, Mapping):
            raise EngineError(f"{self.endpoint.name} gave garbage instead of an answer")
        return result

    # --- Calls --------------------------------------------------------------------------------------------

    def _call(
        self, deadline: Deadline, doing: str, call: Callable[[], Result], client: GuardedClient | None = None
    ) -> Result:
        session = (client or self._client).session
        session.deadline, session.doing = deadline, doing
        try:
            return call()
        except EngineError:
            raise
        except Exception as problem:
            # Not JSON, or not what the client and we expect: the client has errors of its own for that.
            raise EngineError(
                f"{self.endpoint.name} gave garbage instead of an answer while {doing}"
            ) from problem

    def _retried(
        self, deadline: Deadline, doing: str, client: GuardedClient, call: Callable[[], Result]
    ) -> Result:
        """Ask again while nobody is there, as long as there is time: nothing was judged, so nothing is hidden."""
        pause = _PAUSE_S
        while True:
            try:
                return self._call(deadline, doing, call, client)
            except UnavailableError:
                # Apart from each other, for a server that just came back (S311: nothing secret is drawn).
                wait = pause * random.uniform(0.5, 1.5)  # noqa: S311
                if deadline.left <= wait:
                    raise
                time.sleep(wait)
                pause = min(2 * pause, _MAX_PAUSE_S)


def _most_wanted_first(texts: Mapping[str, str]) -> dict[str, str]:
    """Policies by how many others name their package."""
    packages = {identity: _PACKAGE.search(text) for identity, text in texts.items()}
    names = [name for text in texts.values() for name in set(_NAME.findall(text))]
    count = Counter(
        ".".join(parts[:length])
        for parts in (n.split(".") for n in names)
        for length in range(len(parts) + 1)
    )
    return dict(
        sorted(
            texts.items(),
            key=lambda item: -count[f"data.{found[1]}"] if (found := packages[item[0]]) is not None else 0,
        )
    )
