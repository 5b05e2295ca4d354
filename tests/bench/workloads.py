"""What is measured: requests of ten kinds, and who must answer them how."""

from dataclasses import dataclass
from pathlib import Path

from tests.bench.tokens import Tokens
from tests.bench.wrk import Request

_KIB = 1024


@dataclass(frozen=True)
class Workload:
    """One kind of load.

    Attributes:
        name: Short, for the command line and for targets.
        title: For tables.
        tokens: Which file of `Tokens`; empty for anonymous requests.
        method: Of HTTP.
        target: What is asked for; says what the backend answers.
        body_bytes: Of the request.
        connections: Held open at once.
        seconds: Length of a round.
        is_refused: All are to be refused; otherwise none.
        stage: What stands behind the peers: `nginx`, `backend` or `flask`.
        needs_warmth: Every token must have been seen before the first measured round.
        needs_full_caches: As many other tokens as a cache holds must have been seen before.
    """

    name: str
    title: str
    tokens: str = "hot"
    method: str = "GET"
    target: str = "/api/feed"
    body_bytes: int = 0
    connections: int = 32
    seconds: int = 1
    is_refused: bool = False
    stage: str = "nginx"
    needs_warmth: bool = False
    needs_full_caches: bool = False

    def request(self, tokens: Tokens) -> Request:
        """Say it to the load generator."""
        file: Path | None = getattr(tokens, self.tokens) if self.tokens else None
        return Request(self.method, self.target, file, self.body_bytes)


MANY = Workload("many", "10 000 tokens", tokens="many", needs_warmth=True)

WORKLOADS = (
    Workload("hot", "100 tokens", seconds=2),
    Workload("hot-1", "100 tokens, 1 connection", connections=1, seconds=2),
    Workload("hot-512", "100 tokens, 512 connections", connections=512),
    MANY,
    Workload("cold", "every token new", tokens="cold", seconds=2, needs_full_caches=True),
    Workload("anonymous", "no token", tokens=""),
    Workload("bad", "every token bad", tokens="bad", is_refused=True),
    Workload("post-1k", "POST 1 KiB", method="POST", body_bytes=_KIB),
    Workload("post-64k", "POST 64 KiB", method="POST", body_bytes=64 * _KIB),
    Workload("get-64k", "response 64 KiB", target="/64k"),
    Workload("get-16m", "response 16 MiB", target="/16m", connections=4, seconds=2),
    Workload("backend", "sample backend", target="/api/activities/home", stage="backend"),
    Workload("flask", "Flask, verified in front or in the view", stage="flask", seconds=2),
)
"""All that wrk can make, in the order of the tables."""

WEBSOCKET = "websocket"
"""The one that wrk cannot: 1 KiB messages there and back, see `websockets`."""

TITLES = {w.name: w.title for w in WORKLOADS} | {WEBSOCKET: "WebSocket messages, 1 KiB"}
