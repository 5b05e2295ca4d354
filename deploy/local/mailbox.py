"""This file reads the e-mails that Cognito would have sent, as they come."""

import asyncio
import http.client
import re
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local.loopback import fetch_json
from deploy.local.pool import LocalPool

POLL_S = 0.5  # a person takes longer to look up from the form

ShowCode = Callable[[str, str], None]  # address, code


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail that was never sent."""

    message_id: str
    address: str
    text: str


def mails(pool: LocalPool) -> list[Mail]:
    """All e-mails of this pool, oldest first; errors as in `fetch_json`."""
    mailboxes = fetch_json(pool.messages_url)["messages"].values()
    return [
        Mail(mail["MessageId"], ", ".join(mail["To"]), mail["BodyText"])
        for mailbox in mailboxes
        for mail in mailbox
    ]


async def watch_codes(pool: LocalPool, known: list[Mail], show: ShowCode) -> None:
    """Show the code of every e-mail that is not among `known`, once, until cancelled."""
    shown = {mail.message_id for mail in known}
    while True:
        for mail in await asyncio.to_thread(_mails_if_any, pool):
            code = re.search(r"\b\d{6}\b", mail.text)
            if mail.message_id not in shown and code:
                show(mail.address, code.group())
            shown.add(mail.message_id)
        await asyncio.sleep(POLL_S)


def _mails_if_any(pool: LocalPool) -> list[Mail]:
    try:
        return mails(pool)
    except (OSError, http.client.HTTPException):
        return []  # the stand-in is ending, and the supervisor says so
