"""What a run consists of, and telling whoever waits how far it is."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.keys import Keys
from tests.bench.peers.peer import Peer, Running, running
from tests.bench.tokens import Tokens
from tests.bench.workloads import Workload


@dataclass(frozen=True)
class Plan:
    """What a run consists of.

    Attributes:
        folder: For everything that is written on the way.
        keys: The pool's.
        tokens: Minted.
        nginx: The backend, which serves the pool's keys too; `host:port`.
        peers: Who takes part and is there.
        workloads: Which are measured.
        rounds: Of each workload and peer.
    """

    folder: Path
    keys: Keys
    tokens: Tokens
    nginx: str
    peers: Sequence[Peer]
    workloads: Sequence[Workload]
    rounds: int

    def run(self, peer: Peer, upstream: str) -> AbstractContextManager[Running]:
        """Run a peer in front of a backend."""
        jwks_url = f"http://{self.nginx}/jwks.json"
        return running(peer, self.folder, upstream, self.keys, jwks_url)

    def on(self, stage: str) -> list[Workload]:
        """Return the workloads of one stage."""
        return [workload for workload in self.workloads if workload.stage == stage]


def say(what: str) -> None:
    """Tell whoever waits what is going on."""
    print(f"bench: {what}", file=sys.stderr, flush=True)
