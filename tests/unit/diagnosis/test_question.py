"""A question asked with keys from servers: what cannot be fetched is remarked, not guessed."""

from pathlib import Path

import pytest

from sidecar.config import load
from sidecar.diagnosis.keys import KeysNotFound
from sidecar.diagnosis.question import Question, answer
from sidecar.diagnosis.report import answer_text
from tests.support import mint

SETTINGS = load(
    {
        "user_pool_id": mint.POOL_ID,
        "user_pool_client_id": mint.CLIENT_ID,
        "jwks_url": "http://127.0.0.1:9/jwks.json",
    },
    {},
)


async def test_keys_that_cannot_be_fetched_are_remarked() -> None:
    """The claims are still looked at, and the answer says what is missing."""
    found = await answer(Question(mint.mint(client_id="other").decode()), SETTINGS, mint.NOW)
    assert found.explanation is not None
    assert found.explanation.reason == "keys_unavailable"
    assert "http://127.0.0.1:9/jwks.json" in found.remarks[0]
    assert "client_mismatch" in answer_text(found)
    assert not found.is_good


@pytest.mark.parametrize(
    "around", ["{}", " {}\n", "Bearer {}", "bearer {}", "Authorization: Bearer {}\r\n", '"{}"']
)
async def test_token_is_found_in_what_was_copied(around: str, tmp_path: Path) -> None:
    """Whoever copies a header line need not trim it."""
    file = tmp_path / "jwks.json"
    file.write_bytes(mint.jwks())
    text = around.format(mint.mint().decode())
    found = await answer(Question(text, jwks=file), SETTINGS, mint.NOW)
    assert found.is_good


@pytest.mark.parametrize("content", [b"", b"[]", b"x" * 300_000])
async def test_file_without_keys_is_an_error(content: bytes, tmp_path: Path) -> None:
    """An empty file must not look like a pool without keys."""
    file = tmp_path / "jwks.json"
    file.write_bytes(content)
    with pytest.raises(KeysNotFound):
        await answer(Question("a.b.c", jwks=file), SETTINGS, mint.NOW)
