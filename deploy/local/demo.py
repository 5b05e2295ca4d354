"""This file is `make demo`: check the ports, start the parts in order, end them together."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deploy.local.bundle import BundleError, ensure_built
from deploy.local.emulator import EmulatorError, endpoint
from deploy.local.mailbox import mails, watch_codes
from deploy.local.parts import ROOT, Ports, cognito_part, parts_around, taken_ports
from deploy.local.pool import StackError, create_pool
from deploy.local.record import STATE_DIR, forget, recorded
from deploy.local.sign_in import assert_tokens_are_signed, sign_in
from deploy.local.supervisor import PartError, run_until_signal, supervised
from deploy.local.terminal import show, show_code, show_summary

MAX_OFFSET = 57_000  # the highest port, 8081, stays below 65 536
# What a person can do something about: one line each, no traceback.
FAILURES = (PartError, BundleError, EmulatorError, StackError, BotoCoreError, ClientError)


async def run_demo(ports: Ports, state_dir: Path) -> None:
    """Run all parts until cancelled.

    Raises:
        BundleError: The frontend cannot be built; nothing was started.
        ExceptionGroup: A part ended (`PartError`) or the pool could not be created.
    """
    cognito_dir = state_dir / "cognito"
    cognito_dir.mkdir(parents=True, exist_ok=True)
    forget(state_dir)
    for line in (await asyncio.to_thread(ensure_built, ROOT / "frontend")).splitlines():
        show("frontend", line)
    async with supervised(show) as start:
        await start(cognito_part(ports, cognito_dir))
        pool = await asyncio.to_thread(create_pool, endpoint(ports.cognito))
        await asyncio.to_thread(assert_tokens_are_signed, pool)
        for part in parts_around(pool, ports, state_dir):
            await start(part)
        tokens = await asyncio.to_thread(sign_in, pool)
        with recorded(pool, ports, state_dir):
            earlier = await asyncio.to_thread(mails, pool)
            show_summary(pool, ports, tokens.access_token)
            await watch_codes(pool, earlier, show_code)


def main() -> int:
    """Run the demo. 0 after Ctrl-C or SIGTERM, 1 and one line when a part ended or cannot start."""
    chosen = _options()
    ports = Ports().shifted(chosen.port_offset)
    if taken := taken_ports(ports):
        return _fail(f"nothing was started: in use already: port {', port '.join(taken)}")
    failed: list[BaseException] = []
    try:
        run_until_signal(run_demo(ports, chosen.state_dir.resolve()))
    except* FAILURES as group:
        failed.extend(group.exceptions)
    except* BrokenPipeError:  # whoever read our output has gone, as after `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        failed.append(BrokenPipeError("nobody reads the output any more"))
    return _fail(str(failed[0])) if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.demo", description=main.__doc__)
    offset_help = "add N to every port; a second demo needs a --state-dir of its own as well"
    state_help = "where accounts, posts and demo.json are; default: .local"
    parser.add_argument("--port-offset", type=_offset, default=0, metavar="N", help=offset_help)
    parser.add_argument("--state-dir", type=Path, default=STATE_DIR, help=state_help)
    return parser.parse_args()


def _offset(text: str) -> int:
    offset = int(text)
    if not 0 <= offset <= MAX_OFFSET:
        raise argparse.ArgumentTypeError(f"must be 0 to {MAX_OFFSET}")
    return offset


def _fail(why: str) -> int:
    print(f"demo: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
