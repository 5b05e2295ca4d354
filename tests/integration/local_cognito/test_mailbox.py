import asyncio
from uuid import uuid4

from botocore.client import BaseClient

from deploy.local.mailbox import mails, watch_codes
from deploy.local.pool import LocalPool
from deploy.local.sign_in import emailed_code


def sign_up(browser: BaseClient, pool: LocalPool, email: str) -> None:
    attributes = {"name": "New", "email": email, "preferred_username": "new"}
    browser.sign_up(
        ClientId=pool.client_id,
        Username=email,
        Password="Analytical-1843",
        UserAttributes=[{"Name": name, "Value": text} for name, text in attributes.items()],
    )


async def test_code_is_shown_when_it_is_sent_and_once(browser: BaseClient, pool: LocalPool) -> None:
    """A person sees the code of each new e-mail, and none of an earlier start."""
    earlier, first, second = (f"{uuid4().hex[:8]}@example.com" for _ in range(3))
    await asyncio.to_thread(sign_up, browser, pool, earlier)
    known = await asyncio.to_thread(mails, pool)
    shown: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def show(address: str, code: str) -> None:
        shown.put_nowait((address, code))

    watching = asyncio.create_task(watch_codes(pool, known, show))
    async with asyncio.timeout(20):
        for email in (first, second):
            await asyncio.to_thread(sign_up, browser, pool, email)
            code = await asyncio.to_thread(emailed_code, pool, email)
            assert await shown.get() == (email, code)
    watching.cancel()
    assert shown.empty()
