"""What becomes of requests when nobody takes the log: a full disk, a reader that is gone."""

import asyncio
import errno
import io
import sys

import pytest

from sidecar.operations import MAX_HELD
from tests.conftest import StartSidecar
from tests.support.raw_client import ask


class FullDisk(io.StringIO):
    """A standard output that takes nothing."""

    def write(self, text: str) -> int:  # noqa: ARG002 - it takes none
        """Refuse."""
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_log_that_cannot_be_written_changes_no_answer(
    start_sidecar: StartSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request has one answer, counted, and the admin port goes on."""
    monkeypatch.setattr(sys, "stdout", FullDisk())
    sidecar = await start_sidecar()
    count = 2 * MAX_HELD + 50
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    reader, writer = await asyncio.open_connection(sidecar.address.host, sidecar.address.port)
    writer.write(request * count)
    received = b"".join([await reader.readuntil(b"\r\n\r\nok") for _ in range(count)])
    writer.close()
    assert received.count(b"HTTP/1.1 ") == received.count(b"HTTP/1.1 200 OK") == count
    metrics = await ask(sidecar.admin_address, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert metrics.status == 200
    counted = f'sidecar_requests_total{{code="200",method="GET",route="default"}} {float(count)}'
    assert counted.encode() in metrics.body
