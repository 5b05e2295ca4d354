"""The images' recipes, and the health check that runs in them."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "deploy" / "docker"
RECIPES = sorted(DOCKER.glob("*.Dockerfile"))
SCRIPTS = sorted(DOCKER.glob("*.sh"))


@pytest.fixture(params=RECIPES, ids=lambda path: path.stem)
def recipe(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text()


def last_stage(recipe: str) -> str:
    return recipe[recipe.rindex("\nFROM ") :]


def test_there_is_a_recipe_for_each_part() -> None:
    assert [path.stem for path in RECIPES] == ["backend", "cognito", "frontend", "sidecar"]


def test_image_runs_as_nobody_in_particular_without_a_shell(recipe: str) -> None:
    """A numeric user, so that Kubernetes can tell; commands as lists, so that no shell starts."""
    final = last_stage(recipe)
    assert "\nUSER 10001:10001\n" in final
    assert "\nRUN " not in final
    for word in ("ENTRYPOINT", r"HEALTHCHECK(?: --\S+)* \\\n  CMD"):
        assert re.search(rf"^{word} \[", final, re.MULTILINE), word


def test_image_installs_nothing_that_is_not_held_against_a_hash(recipe: str) -> None:
    """Pip with hashes and wheels alone; npm from its lock, without scripts."""
    installs = re.findall(r"(?:-m pip .*?|npm (?:ci|install).*?)(?:\n(?! )|\Z)", recipe, re.DOTALL)
    assert installs
    for command in installs:
        hashed = "--require-hashes" in command and "--only-binary :all:" in command
        assert hashed or command.startswith("npm ci --ignore-scripts")
    assert not re.search(r"apt-get|curl|wget|ADD ", recipe)


def test_image_has_a_base_that_can_be_replaced_and_labels(recipe: str) -> None:
    """A build behind a mirror, or by digest, needs no edit."""
    stages = re.findall(r"^FROM (\S+)", recipe, re.MULTILINE)
    assert set(stages) <= {"${PYTHON_IMAGE}", "${NODE_IMAGE}"}
    assert re.search(r"^ARG (?:PYTHON|NODE)_IMAGE=[a-z]+:[0-9.]+-slim$", recipe, re.MULTILINE)
    for label in ("title", "description", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in last_stage(recipe)


def test_image_is_sent_what_it_copies(recipe: str) -> None:
    """Each source exists, and `.dockerignore`, which lets nothing in but by name, names it."""
    allowed = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    for words in re.findall(r"^COPY (?!--from)(.+)", recipe, re.MULTILINE):
        for source in words.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(
                Path(source).is_relative_to(entry) or Path(source).match(entry) for entry in allowed
            ), source


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_is_good_shell(script: Path) -> None:
    """It parses, stops at the first error, and may be executed."""
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert "set -euo pipefail" in script.read_text()
    assert script.stat().st_mode & 0o111


@pytest.fixture
def server() -> Iterator[str]:
    """Answers 200 to `/good`, 503 to the rest."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/good" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def health(*words: object) -> int:
    command = [sys.executable, "-I", str(DOCKER / "health.py"), *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, timeout=20).returncode


def test_health_check_is_the_status_of_the_answer(server: str, tmp_path: Path) -> None:
    """200 is healthy; another status, silence or a missing file is not."""
    assert health(f"{server}/good") == 0
    assert health(f"{server}/good", tmp_path) == 0
    assert health(f"{server}/good", tmp_path / "missing") == 1
    assert health(f"{server}/bad") == 1
    assert health("http://127.0.0.1:1/good") == 1


def test_health_check_of_the_page_is_the_same(server: str) -> None:
    """In Node, for an image without Python."""

    def ask(url: str) -> int:
        command = ["node", str(DOCKER / "health.mjs"), url]
        return subprocess.run(command, check=False, timeout=20).returncode

    assert [ask(f"{server}/good"), ask(f"{server}/bad"), ask("http://127.0.0.1:1/")] == [0, 1, 1]
