"""The load generator: what wrk is told, and what it says."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.processes import OTHER_CPU
from tests.bench.programs import path_of

MARK = "wrk-summary "
"""What the one line of wrk's output that is read begins with."""

_GRACE_S = 30  # wrk ends by itself; this only bounds a wrk that hangs

# All requests are made before the first is sent: making one costs wrk as much as sending it.
_SCRIPT = """
local requests = {}
local next = 0
local function make(authorization)
  local fields = %(fields)s
  if authorization then fields["Authorization"] = "Bearer " .. authorization end
  requests[#requests + 1] = wrk.format("%(method)s", "%(target)s", fields, %(body)s)
end
init = function(arguments)
  next = tonumber(arguments[1])
  if "%(tokens)s" == "" then make(nil) else
    for token in io.lines("%(tokens)s") do make(token) end
  end
end
request = function()
  next = next %% #requests + 1
  return requests[next]
end
done = function(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '%(mark)s{"requests": %%d, "duration_us": %%d, "bytes": %%d, "not_2xx": %%d, ' ..
    '"broken": %%d, "p50_us": %%d, "p99_us": %%d}\\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


class LoadFailed(Exception):
    """The answers are not what they should be: something else was measured."""


@dataclass(frozen=True)
class Request:
    """What is asked, again and again.

    Attributes:
        method: Of HTTP.
        target: Path and query.
        tokens: File with one token per line, used in turn; None for anonymous requests.
        body_bytes: Length of the body; 0 for none.
        extra_fields: How many more request fields.
    """

    method: str
    target: str
    tokens: Path | None = None
    body_bytes: int = 0
    extra_fields: int = 0


@dataclass(frozen=True)
class Summary:
    """What wrk counted.

    Attributes:
        requests: Answered.
        duration_s: From the first to the last.
        received_bytes: Of the answers, heads included.
        not_2xx: How many answers were refusals.
        broken: How many connections failed, or answers came too late for wrk.
        p50_ms: Median latency.
        p99_ms: 99th percentile of the latency.
    """

    requests: int
    duration_s: float
    received_bytes: int
    not_2xx: int
    broken: int
    p50_ms: float
    p99_ms: float


def write_script(request: Request, file: Path) -> Path:
    """Write the Lua script that makes requests."""
    fields = "".join(f'["X-Extra-{n}"]="value {n}",' for n in range(request.extra_fields))
    file.write_text(
        _SCRIPT
        % {
            "method": request.method,
            "target": request.target,
            "tokens": request.tokens or "",
            "fields": "{" + fields + "}",
            "body": f'string.rep("x", {request.body_bytes})' if request.body_bytes else "nil",
            "mark": MARK,
        }
    )
    return file


def run(url: str, script: Path, connections: int, seconds: int, start_at: int = 0) -> Summary:
    """Put load on `url`; blocks for `seconds`.

    Args:
        url: Scheme, host and port.
        script: From `write_script`.
        connections: Held open at once.
        seconds: How long.
        start_at: How many tokens of the file to pass over first.

    Raises:
        LoadFailed: wrk did not run to its end.
    """
    command = (
        *("taskset", "--cpu-list", str(OTHER_CPU), path_of("wrk")),
        *("--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"),
        *("--timeout", "20s", "--script", str(script), url, "--", str(start_at)),
    )
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + _GRACE_S
        )
    except subprocess.TimeoutExpired as error:
        raise LoadFailed(f"wrk did not end within {_GRACE_S} s of its time") from error
    return parse(done.stdout.splitlines(), done.stderr)


def parse(lines: Sequence[str], said: str = "") -> Summary:
    """Read what the script's last function wrote.

    Raises:
        LoadFailed: It wrote nothing, or no request was answered.
    """
    found = [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]
    if len(found) != 1:
        raise LoadFailed(f"wrk says: {said or lines}")
    counted: dict[str, Any] = json.loads(found[0])
    if not counted["requests"]:
        raise LoadFailed("no request was answered")
    return Summary(
        requests=counted["requests"],
        duration_s=counted["duration_us"] / 1e6,
        received_bytes=counted["bytes"],
        not_2xx=counted["not_2xx"],
        broken=counted["broken"],
        p50_ms=counted["p50_us"] / 1e3,
        p99_ms=counted["p99_us"] / 1e3,
    )
