"""What settings are after a journey to another process."""

from pathlib import Path

import pytest

from sidecar.config import Settings, load
from sidecar.workers.doors import Doors
from tests.support.settings import POOL, REQUIRED

FILE = f"""
upstream = "unix:/run/app.sock"
verify_listen = "127.0.0.1:0"
token_use = ["access", "id"]
trusted_proxies = ["10.0.0.0/8", "fd00::/8"]
cors_origins = ["https://app.example"]
workers = "auto"
[[pools]]
id = "{POOL}"
client_ids = ["a", "b"]
issuer = ["https://issuer.example"]
[[pools]]
id = "us-east-1_Other"
client_ids = "*"
[[routes]]
path = "/admin/*"
mode = "require"
groups = ["admin"]
[headers]
X-Cognito-Groups = "cognito:groups"
[timeouts]
grace_s = 0
[limits]
requests = 7
"""


@pytest.mark.parametrize("text", ["", FILE])
def test_settings_arrive_as_they_were_sent(tmp_path: Path, text: str) -> None:
    """Each worker validates them again, and nothing is lost or made up on the way."""
    file = tmp_path / "sidecar.toml"
    file.write_text(text)
    given = REQUIRED if not text else {}
    settings = load({}, {**given, "SIDECAR_CONFIG": str(file)})
    written = Doors().settings_for_workers(settings)
    assert Settings.model_validate(written) == settings
