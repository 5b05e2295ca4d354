"""What a caller hears who is known and may not."""

from pathlib import Path

from sidecar.model import BearerToken
from tests.conftest import StartSidecar
from tests.support.raw_client import ask
from tests.support.recording_backend import RecordingBackend

RULES = """
[[routes]]
path = "/admin/*"
mode = "require"
groups = ["admin"]
"""


async def test_known_caller_without_the_group_is_told_so(
    start_sidecar: StartSidecar, backend: RecordingBackend, token: BearerToken, tmp_path: Path
) -> None:
    """The answer is 403, says that the token was good, and the backend sees nothing."""
    file = tmp_path / "sidecar.toml"
    file.write_text(RULES)
    sidecar = await start_sidecar(config=str(file))
    fields = b"Host: a\r\nAuthorization: Bearer " + token
    answer = await ask(sidecar.address, b"GET /admin/x HTTP/1.1\r\n" + fields + b"\r\n\r\n")
    assert answer.status == 403
    assert answer.fields["x-cognito-auth"] == "authenticated; reason=group_missing"
    assert 'error="insufficient_scope"' in answer.fields["www-authenticate"]
    assert backend.requests == []
