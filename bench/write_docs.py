"""``make bench-docs``: puts the last ``make bench`` table into docs/performance.md, between its markers."""

import json
import sys
from pathlib import Path
from typing import Final

from bench.run import RESULTS
from bench.table import table

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN: Final = "<!-- bench:begin -->"
END: Final = "<!-- bench:end -->"


def main() -> int:
    """Rewrite the page; 1 when there is nothing to write or no place for it."""
    if not RESULTS.exists():
        print("no results yet; run: make bench", file=sys.stderr)
        return 1
    head, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        print(f"{PAGE.name} has no {BEGIN} and {END}", file=sys.stderr)
        return 1
    PAGE.write_text(f"{head}{BEGIN}\n{table(json.loads(RESULTS.read_text()))}\n{END}{tail}")
    print(f"wrote the table of bench/{RESULTS.name} into docs/{PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
