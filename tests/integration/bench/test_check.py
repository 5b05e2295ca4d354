"""The check before the measuring: it lets the sidecar pass, and nobody who does less."""

import pytest

from tests.bench.check import DoesOtherWork, check_proxy
from tests.conftest import StartSidecar
from tests.support.recording_backend import RecordingBackend


async def test_sidecar_passes_and_accepts_nothing_that_others_may(
    start_sidecar: StartSidecar, backend: RecordingBackend
) -> None:
    """All questions are answered as they must be, the two that not every peer can answer too."""
    sidecar = await start_sidecar(mode="optional")
    url = f"http://127.0.0.1:{sidecar.address.port}"
    assert await check_proxy(url, backend) == []


async def test_backend_without_a_proxy_fails_for_its_spoofed_identity(
    backend: RecordingBackend,
) -> None:
    """What does nothing is the fastest of all, and must not be measured."""
    with pytest.raises(DoesOtherWork, match=r"identity is .* not .*spoofed"):
        await check_proxy(backend.url, backend)


async def test_proxy_that_forwards_bad_tokens_fails(
    start_sidecar: StartSidecar, backend: RecordingBackend
) -> None:
    """In mode `strip` a bad token arrives as an anonymous request: other work than refusing it."""
    sidecar = await start_sidecar(mode="strip")
    with pytest.raises(DoesOtherWork, match="a wrong signature is refused, not 200"):
        await check_proxy(f"http://127.0.0.1:{sidecar.address.port}", backend)
