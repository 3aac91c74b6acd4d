"""The tests that policies bring along, run before a server judges with them."""

from typing import Final

from plangate.authoring.evaluation import TimeLimits
from plangate.authoring.folders import read_suite
from plangate.authoring.testing import Verdict, run_tests
from plangate.authoring.trial import try_fixtures
from plangate.errors import PolicyLoadError
from plangate.settings import Settings
from plangate.wiring.choices import Choices
from plangate.wiring.judges import own_sources

TESTS_TIMEOUT_S: Final = 60.0
"""For all tests together, in a server that is waiting for its policies."""
_MOST_NAMED: Final = 5


def prove(settings: Settings, choices: Choices) -> None:
    """Run the tests and fixtures beside the policies of the settings, as `plangate policy test` does.

    The shipped policies are not among them: theirs were run before they were shipped. Nothing is run for
    ``engine: opa``, whose policies the embedded engine may not know.

    Raises:
        PolicyLoadError: A test does not pass; the first ones are named.
        EngineError: The tests cannot be run.
    """
    sources = own_sources(settings, choices)
    if not sources or settings.opa() is not None:
        return
    data = (*settings.data_paths(), *(path.absolute() for path in choices.data))
    suite, policies = read_suite(sources, data)
    limits = TimeLimits(all_s=TESTS_TIMEOUT_S)
    results = (*run_tests(suite, limits=limits).results, *try_fixtures(sources, policies, limits=limits))
    bad = [each for each in results if each.verdict in {Verdict.FAILED, Verdict.ERROR}]
    if bad:
        names = ", ".join(each.name for each in bad[:_MOST_NAMED])
        more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        raise PolicyLoadError(
            bad[0].file,
            f"{len(bad)} of {len(results)} tests do not pass: {names}{more}",
            line=bad[0].line,
            hint="plangate policy test shows why",
        )
