"""Two workers as one sidecar: one port, one sum, one set of settings.

One crew serves all tests of this module; starting it takes longer than any of them.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sidecar.config import ModeName, load
from sidecar.errors import SettingsInvalid
from sidecar.workers.crew import Crew
from tests.integration.workers.conftest import (
    GET,
    REQUESTS,
    Workplace,
    eventually,
    is_ready_now,
    metrics,
    open_workplace,
    pids,
    status,
    tell,
    use_both,
)
from tests.support import mint
from tests.support.raw_client import ask

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workplace() -> AsyncIterator[Workplace]:
    """Start a backend and a key server."""
    async with open_workplace() as workplace:
        yield workplace


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crew(workplace: Workplace) -> Crew:
    """Start two workers."""
    return await workplace.start()


def bearer(token: bytes) -> bytes:
    """Write a request with a token."""
    return GET.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer " + token + b"\r\n\r\n")


async def test_both_workers_answer_on_one_port_and_the_metrics_are_their_sum(crew: Crew) -> None:
    """Whoever scrapes sees one sidecar."""
    before = await metrics(crew.admin_address)
    sent = await use_both(crew.address, crew.admin_address)
    found = await metrics(crew.admin_address)
    for name in (REQUESTS, "sidecar_request_seconds_count"):
        assert found[name] - before.get(name, 0) == sent
    assert found["sidecar_workers"] == 2
    page = await status(crew.admin_address)
    assert page["readings"]["workers"] == len({worker["pid"] for worker in page["workers"]}) == 2
    assert found["process_resident_memory_bytes"] > 3 * 20e6  # three interpreters


async def test_killed_worker_is_replaced_and_takes_no_count_with_it(crew: Crew) -> None:
    """The other one serves on, somebody new takes the place, and no counter goes backwards."""
    await use_both(crew.address, crew.admin_address)
    before = await pids(crew.admin_address)
    counted, deaths = (await metrics(crew.admin_address))[REQUESTS], crew.deaths
    os.kill(before[1], signal.SIGKILL)

    async def is_replaced() -> bool:
        assert (await metrics(crew.admin_address))[REQUESTS] == counted
        now = await pids(crew.admin_address)
        return len(now) == 2 and now[1] != before[1] and await is_ready_now(crew.admin_address)

    await eventually(is_replaced)
    assert (await pids(crew.admin_address))[2] == before[2]
    counted += await use_both(crew.address, crew.admin_address)
    found = await metrics(crew.admin_address)
    assert (found[REQUESTS], found["sidecar_worker_deaths_total"]) == (counted, deaths + 1)


async def test_readiness_says_which_worker_is_not(crew: Crew) -> None:
    """A worker that does not answer is not ready, and is counted as it was last."""
    stopped = (await pids(crew.admin_address))[2]
    os.kill(stopped, signal.SIGSTOP)
    try:
        answer = await tell(crew.admin_address, "/readyz")
        assert (answer.status, json.loads(answer.body)["missing"]) == (503, ["worker 2: no answer"])
        assert (await tell(crew.admin_address, "/livez")).status == 200
    finally:
        os.kill(stopped, signal.SIGCONT)
    await eventually(lambda: is_ready_now(crew.admin_address))


async def test_tokens_are_verified_and_explained(crew: Crew, workplace: Workplace) -> None:
    """The supervisor has no keys; it asks somebody who has."""
    token = mint.mint(now=time.time())  # noqa: TID251 - a worker reads the real clock
    answer = await ask(crew.address, bearer(token))
    assert answer.fields["x-cognito-auth"] == "authenticated"
    assert workplace.backend.last.values("x-cognito-sub") == [mint.SUB]
    question = json.dumps({"token": token.decode()}).encode()
    head = "POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    length = f"Content-Length: {len(question)}\r\n\r\n"
    explained = await ask(crew.admin_address, (head + length).encode() + question)
    assert json.loads(explained.body)["token"]["accepted"] is True


async def test_refusals_of_both_are_told_in_the_order_of_time(crew: Crew) -> None:
    """Whoever reads them need not know who refused."""
    for _ in range(12):
        await ask(crew.address, bearer(mint.mint(exp=1)))
    refusals = (await status(crew.admin_address))["refusals"]
    assert [each["reason"] for each in refusals] == ["token_expired"] * 12
    times = [each["at"] for each in refusals]
    assert times == sorted(times, reverse=True)
    assert abs(times[0] - time.time()) < 60  # noqa: TID251 - they are of the wall clock


async def statuses(crew: Crew) -> set[int]:
    """Send as many requests as it takes to meet both workers."""
    asked = (ask(crew.address, GET) for _ in range(16))
    return {answer.status for answer in await asyncio.gather(*asked)}


async def test_settings_change_in_all_workers_and_in_those_to_come(crew: Crew) -> None:
    """The next request is held against the new rules, whichever worker gets it."""
    old, deaths = crew.settings, crew.deaths
    await crew.reload(old.model_copy(update={"mode": ModeName.REQUIRE}))
    assert await statuses(crew) == {401}
    os.kill((await pids(crew.admin_address))[1], signal.SIGKILL)

    async def is_replaced() -> bool:
        return crew.deaths > deaths and await is_ready_now(crew.admin_address)

    await eventually(is_replaced)
    assert await statuses(crew) == {401}
    await crew.reload(old)
    assert await statuses(crew) == {200}


async def test_pool_without_keys_changes_no_worker(crew: Crew) -> None:
    """All stay with the old settings, and it is said once why."""
    given = {
        "user_pool_id": "eu-west-1_Typo",
        "user_pool_client_id": "c",
        "jwks_url": "http://127.0.0.1:9/",
        "mode": "require",
    }
    with pytest.raises(SettingsInvalid) as caught:
        await crew.reload(load(given, {}))
    assert len(caught.value.problems) == 1
    assert crew.settings.mode == "strip"
    assert await statuses(crew) == {200}
