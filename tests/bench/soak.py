"""Good traffic for minutes, beside failing backends and slow attackers.

`python -m tests.bench.soak --minutes 5`. Memory and descriptors must be flat after the warm-up, and
good requests must be served. The last three parts of the time belong to slowhttptest (a Debian
package): slow heads (-H), slow bodies (-B), slow readers (-X); without it only good traffic and
faults are measured, and the output says so.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.scripted_backend import scripted
from tests.support.sidecar_process import SidecarProcess, sidecar_process

MIB = 1 << 20
WORKERS = 20
PAUSE_S = 0.05  # between two requests of one worker: steady traffic, not a flood
FAULTS = 0.01  # share of requests at which the backend resets the connection
ATTACKERS = 500
SERVED = 0.999  # of the good requests
GROWTH_MIB = 16  # allowed between the end of the warm-up and the end
ATTACKS = {
    "slow heads": ("-H", "-i", "5"),
    "slow bodies": ("-B", "-i", "5", "-s", "8192"),
    "slow readers": ("-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"),
}


@dataclass
class Tally:
    """What was asked, served and measured."""

    good: int = 0
    served: int = 0
    faulty: int = 0
    slowest_s: float = 0.0
    failures: list[str] = field(default_factory=list)
    samples: list[tuple[float, int, int]] = field(default_factory=list)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        await reader.readexactly(length)
        if b" /fault" in head:
            return
        size = 200_000 if b" /big" in head else 200
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
        await writer.drain()


async def _work(sidecar: SidecarProcess, tally: Tally, token: bytes, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a repeatable mix, nothing secret
    while True:
        is_faulty = dice.random() < FAULTS
        target = b"/fault" if is_faulty else dice.choice((b"/", b"/", b"/", b"/big", b"/post"))
        body = bytes(5000) if target == b"/post" else b""
        started = time.monotonic()
        try:
            async with asyncio.timeout(5):
                status = await _ask(sidecar, target, token, body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            status = 0
            tally.failures.append(f"{target!r}: {error!r}")
        if is_faulty:
            tally.faulty += 1
        else:
            tally.good += 1
            tally.served += status == 200
            tally.slowest_s = max(tally.slowest_s, time.monotonic() - started)
        await asyncio.sleep(PAUSE_S)


async def _ask(sidecar: SidecarProcess, target: bytes, token: bytes, body: bytes) -> int:
    """Ask once over a new connection, as a client does that has no luck with keeping one."""
    reader, writer = await asyncio.open_connection(sidecar.address.host, sidecar.address.port)
    try:
        method = b"POST" if body else b"GET"
        writer.write(
            method + b" " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Authorization: Bearer " + token + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        return int(head[9:12])
    finally:
        writer.transport.abort()


async def _attack(sidecar: SidecarProcess, options: tuple[str, ...], seconds: int) -> None:
    url = f"http://{sidecar.address}/big"
    command = ("-c", str(ATTACKERS), "-r", "200", "-l", str(seconds), "-u", url, "-p", "3")
    process = await asyncio.create_subprocess_exec(
        *("slowhttptest", *options, *command),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await process.wait()


async def _sample(sidecar: SidecarProcess, tally: Tally) -> None:
    while True:
        tally.samples.append((time.monotonic(), sidecar.rss_bytes, sidecar.descriptors))
        await asyncio.sleep(1)


async def measure(minutes: float, folder: Path) -> bool:
    """Run it all and print the figures; tell whether they hold."""
    keys = await KeyServer().start()
    token = mint.mint(now=time.time())  # noqa: TID251 - the sidecar reads the real clock
    tally = Tally()
    part_s = max(5, int(minutes * 60 / (1 + len(ATTACKS))))
    async with (
        scripted(_serve) as backend,
        sidecar_process(folder, upstream=backend.url, jwks_url=keys.url) as sidecar,
    ):
        running = [asyncio.ensure_future(_work(sidecar, tally, token, i)) for i in range(WORKERS)]
        running.append(asyncio.ensure_future(_sample(sidecar, tally)))
        await _part("good traffic, 1 % faults", asyncio.sleep(part_s), tally)
        warm = tally.samples[len(tally.samples) // 3 :][0]
        if shutil.which("slowhttptest") is None:
            print("slowhttptest is not installed: its attacks are left out")
        else:
            for name, options in ATTACKS.items():
                await _part(name, _attack(sidecar, options, part_s), tally)
        await asyncio.sleep(15)  # the last attackers' deadlines pass
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    await keys.stop()
    return _report(tally, warm)


async def _part(name: str, doing: Awaitable[None], tally: Tally) -> None:
    good, served = tally.good, tally.served
    tally.slowest_s = 0.0
    await doing
    good, served = tally.good - good, tally.served - served
    share = 100 * served / max(1, good)
    print(f"{name}: {served} of {good} served ({share:.2f} %), slowest {tally.slowest_s:.2f} s")


def _report(tally: Tally, warm: tuple[float, int, int]) -> bool:
    end = tally.samples[-1]
    peak = max(rss for _, rss, _ in tally.samples)
    print(
        f"memory {warm[1] / MIB:.1f} MiB after warm-up, {peak / MIB:.1f} at most, "
        f"{end[1] / MIB:.1f} at the end; descriptors {warm[2]}, "
        f"{max(count for _, _, count in tally.samples)}, {end[2]}; "
        f"{tally.served} of {tally.good} good requests served, {tally.faulty} faults"
    )
    for failure in tally.failures[:5]:
        print(f"failed: {failure}")
    is_served = tally.served >= SERVED * tally.good
    return is_served and end[1] - warm[1] < GROWTH_MIB * MIB and end[2] < warm[2] + 2 * WORKERS


def main() -> int:
    """Soak; 1 if a figure does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(measure(options.minutes, Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
