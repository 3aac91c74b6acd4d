# ruff: noqa: INP001, T201 - a script, not a package; it talks to its user
"""Writes the matrix of rules and formats into docs/reference/formats.md, from what the fixtures show.

    python scripts/generate_format_matrix.py [--check]

What stands outside of the two marks is left alone.
"""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# The matrix is worked out where the tests hold it.
sys.path.insert(0, str(ROOT))

from tests.format_matrix import table  # noqa: E402 - after the path is set

PAGE: Final = ROOT / "docs" / "reference" / "formats.md"
START: Final = "<!-- matrix -->"
END: Final = "<!-- /matrix -->"
TITLE: Final = f"# Formats\n\n{START}\n{END}\n"
INTRODUCTION: Final = """\
Which rule judges what of which format. A tick means that the fixtures show both answers,
something that passes and something that fails; a dash means that the question does not arise there, or that the format
cannot say enough. `tests/contract/test_matrix.py` has the reason for every dash."""


def page(text: str) -> str:
    """The page with the matrix of today.

    Raises:
        ValueError: The marks are not there, once each and in order.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end or START in after or END in after:
        raise ValueError(f"{PAGE.name}: expected {START} and {END}, once each")
    return f"{before}{START}\n{INTRODUCTION}\n\n{table()}\n{END}{after}"


def main() -> None:
    """Writes the page, or checks it."""
    present = PAGE.read_text(encoding="utf-8") if PAGE.exists() else TITLE
    wanted = page(present)
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or wanted != present:
            sys.exit(f"{PAGE.name} is not up to date (run python scripts/generate_format_matrix.py)")
        return
    PAGE.write_text(wanted, encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
