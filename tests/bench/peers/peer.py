"""What a peer is: a name, and how to run it in front of a backend."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

from tests.bench.keys import Keys
from tests.bench.processes import MEASURED_CPU, Command, listening
from tests.bench.tokens import mint_one
from tests.support.ports import free_port


@dataclass(frozen=True)
class Setup:
    """What a peer is given.

    Attributes:
        folder: Of its own, for its files.
        upstream: The backend, as `host:port`.
        keys: The pool's key.
        jwks_url: Where the pool's keys are served.
        port: Of loopback, to listen on.
    """

    folder: Path
    upstream: str
    keys: Keys
    jwks_url: str
    port: int


@dataclass(frozen=True)
class Peer:
    """Somebody who verifies tokens and forwards requests.

    Attributes:
        name: As the tables say it.
        program: As `programs` knows it.
        command: Writes the configuration, and says what to run.
        version: Command that prints the version.
        cpus: Where it may run, as taskset takes it.
    """

    name: str
    program: str
    command: Callable[[Setup], Command]
    version: Callable[[], tuple[str, ...]]
    cpus: str = str(MEASURED_CPU)


@dataclass(frozen=True)
class Running:
    """A peer that serves.

    Attributes:
        name: Of the peer.
        url: Scheme, host and port.
        pids: Whose trees are measured; empty if nothing is.
    """

    name: str
    url: str
    pids: tuple[int, ...]


@contextmanager
def running(
    peer: Peer, folder: Path, upstream: str, keys: Keys, jwks_url: str
) -> Iterator[Running]:
    """Run a peer on its cores until the block is left; it has the keys when it is given.

    Raises:
        DidNotStart: It does not serve.
    """
    port = free_port()
    own = folder / f"{peer.name.replace(' ', '-')}-{port}"
    own.mkdir()
    command = peer.command(Setup(own, upstream, keys, jwks_url, port))
    serves = partial(_serves, port)
    with listening(command, serves, peer.cpus, own / "log") as pid:
        yield Running(peer.name, f"http://127.0.0.1:{port}", (pid,))


def _serves(port: int) -> bool:
    now = time.time()  # noqa: TID251 - every peer reads the real clock
    fields = {"Authorization": f"Bearer {mint_one(0, now).decode()}"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/api/feed", headers=fields)
        return connection.getresponse().status != HTTPStatus.SERVICE_UNAVAILABLE
