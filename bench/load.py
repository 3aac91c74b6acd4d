"""Requests by wrk, each with another object in it, and what the processes of a server used meanwhile."""

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

MARK: Final = 987_654_321
"""The number in a document that stands for the request's own, written in decimals and in hexadecimals."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_SCRIPT: Final = """
wrk.method = "POST"
wrk.path = {path}
wrk.headers["content-type"] = "application/json"
local file = io.open({body}, "rb")
local rest, parts, kinds = file:read("*a"), {{}}, {{}}
file:close()
while true do
  local first, last, kind
  for name, mark in pairs({{["%d"] = "{decimal}", ["%08x"] = "{hexadecimal}"}}) do
    local from, to = rest:find(mark, 1, true)
    if from and (not first or from < first) then first, last, kind = from, to, name end
  end
  if not first then break end
  parts[#parts + 1], kinds[#kinds + 1] = rest:sub(1, first - 1), kind
  rest = rest:sub(last + 1)
end
local number = os.time() % 400000000 + 500000000
function request()
  number = number + 1
  local text = {{}}
  for index, part in ipairs(parts) do
    text[2 * index - 1], text[2 * index] = part, string.format(kinds[index], number)
  end
  text[#text + 1] = rest
  return wrk.format(nil, nil, nil, table.concat(text))
end
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('{{"requests":%d,"seconds":%f,"failed":%d,"p50":%f,"p99":%f,"p999":%f}}\\n',
    summary.requests, summary.duration / 1e6, failed, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3))
end
"""
"""For wrk; times are told in milliseconds."""


class Target(Struct, frozen=True, kw_only=True):
    """A server under load.

    Attributes:
        url: Where it listens.
        pid: Its first process.
        path: What is asked.
        body: File with the body, with `MARK` wherever requests differ.
    """

    url: str
    pid: int
    path: str
    body: Path


class Used(Struct, frozen=True, kw_only=True):
    """What a process and everything below it used, by the processes' names.

    Attributes:
        seconds: Processor time.
        megabytes: Proportional set size.
        own: Megabytes that no other process shares: what others start and end does not move these.
    """

    seconds: Mapping[str, float]
    megabytes: Mapping[str, float]
    own: Mapping[str, float]


def drive(target: Target, connections: int, seconds: float) -> dict[str, float]:
    """Ask for so many seconds.

    Returns:
        ``requests``, ``seconds``, ``failed``, ``p50``, ``p99`` and ``p999`` in milliseconds, ``rate`` a second.
    """
    text = _SCRIPT.format(
        path=json.dumps(target.path),
        body=json.dumps(str(target.body)),
        decimal=MARK,
        hexadecimal=f"{MARK:08x}",
    )
    script = target.body.with_suffix(".lua")
    script.write_text(text)
    command = [shutil.which("wrk") or "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script)]
    output = subprocess.run([*command, target.url], check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found | {"rate": found["requests"] / found["seconds"]}


def used(pid: int) -> Used:
    """What a process and everything below it have used so far."""
    seconds: dict[str, float] = {}
    megabytes: dict[str, float] = {}
    own: dict[str, float] = {}
    for each in (pid, *_below(pid)):
        with contextlib.suppress(OSError):
            found = Path(f"/proc/{each}/stat").read_text()
            name = "main" if each == pid else found.partition("(")[2].rpartition(")")[0]
            name = name.removeprefix("plangate-")
            ticks = sum(map(int, found.rpartition(")")[2].split()[11:13]))
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            sizes = dict(re.findall(r"^(\w+):\s+(\d+)", rollup, re.MULTILINE))
            seconds[name] = seconds.get(name, 0.0) + ticks / _TICKS
            megabytes[name] = megabytes.get(name, 0.0) + int(sizes["Pss"]) / 1024
            private = int(sizes["Private_Clean"]) + int(sizes["Private_Dirty"])
            own[name] = own.get(name, 0.0) + private / 1024
    return Used(seconds=seconds, megabytes=megabytes, own=own)


def _below(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from _below(child)
