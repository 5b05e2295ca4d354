"""One application under the servers that people use: the same with and without us."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from sidecar.model import Address
from tests.integration.differential.compare import Question, assert_equal
from tests.integration.differential.conftest import Pair, behind_sidecar, need, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

APPS = "tests.integration.differential.apps"
RUN_WERKZEUG = (
    "from werkzeug.serving import run_simple;"
    f"from {APPS} import wsgi;"
    "run_simple('127.0.0.1', PORT, wsgi, threaded=True)"
)
SERVERS = {
    "gunicorn": ("-m", "gunicorn", "-b", "127.0.0.1:PORT", "--threads", "4", f"{APPS}:wsgi"),
    "werkzeug": ("-c", RUN_WERKZEUG),
    "waitress": ("-m", "waitress", "--listen=127.0.0.1:PORT", f"{APPS}:wsgi"),
    "uvicorn": ("-m", "uvicorn", "--port=PORT", "--http=h11", f"{APPS}:asgi"),
    "uvicorn-httptools": ("-m", "uvicorn", "--port=PORT", "--http=httptools", f"{APPS}:asgi"),
}

LENGTH = b"Content-Length: 5"
CHUNKED = b"Transfer-Encoding: chunked"
MANY_CHUNKS = b"".join(b"3e8\r\n%b\r\n" % (b"x" * 1000) for _ in range(100)) + b"0\r\n\r\n"
QUESTIONS = [
    *(
        Question(method, target)
        for method in ("GET", "HEAD", "OPTIONS", "DELETE")
        for target in (
            "/echo?a=b;c&d=%20",
            "/echo/%C3%A9/x",
            "/large",
            "/stream",
            "/cookies",
            "/nothing",
            "/unchanged",
            "/teapot",
        )
    ),
    *(
        Question(method, "/echo", (LENGTH,), b"hello")
        for method in ("POST", "PUT", "PATCH", "DELETE")
    ),
    Question("POST", "/echo", (b"Content-Length: 0",)),
    Question("POST", "/echo", (b"Content-Length: 300000",), b"y" * 300_000),
    Question("POST", "/large", (b"Content-Length: 300000",), b"y" * 300_000),
    Question("POST", "/stream", (LENGTH,), b"hello"),
]
CHUNKED_QUESTIONS = [
    Question("POST", "/echo", (CHUNKED,), b"5\r\nhello\r\n0\r\n\r\n"),
    Question("PUT", "/echo", (CHUNKED,), b"0\r\n\r\n"),
    Question("POST", "/echo", (CHUNKED,), MANY_CHUNKS),
]


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Address]:
    """Run the application under one of the servers."""
    need(str(request.param).partition("-")[0])
    folder = tmp_path_factory.mktemp(request.param)
    with serving(folder, *SERVERS[request.param]) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(server: Address) -> AsyncIterator[Pair]:
    """Put a sidecar in front of it."""
    async with behind_sidecar(server) as pair:
        yield pair


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
async def test_server_answers_the_same(pair: Pair, question: Question) -> None:
    """Equal status, reason, fields, order of fields, and bytes, whatever the server."""
    await assert_equal(pair, question)


@pytest.mark.parametrize("question", CHUNKED_QUESTIONS, ids=str)
async def test_server_gets_the_same_chunks(pair: Pair, question: Question) -> None:
    """A chunked upload arrives whole where the server understands chunks."""
    await assert_equal(pair, question)
