"""The rows of "Keys": a key server that lies, drips, floods or is gone, over real sockets."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import itertools
import json
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from sidecar.cognito.jwks import (
    FETCH_TIMEOUT_S,
    JITTER,
    MAX_DOCUMENT_BYTES,
    MAX_WAITING,
    REFETCH_S,
    REFRESH_S,
    STALE_S,
    JwksSource,
)
from sidecar.errors import KeysUnavailable, KeyUnknown, SettingsInvalid, SignatureInvalid
from sidecar.identity.authenticator import Pool
from sidecar.model import BearerToken
from tests.conftest import StartSidecar
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.pools import RULES, authenticator
from tests.support.raw_client import ask
from tests.support.raw_key_server import (
    Behaviour,
    RawKeyServer,
    never_answers,
    publishes_the_keys,
    response,
    says,
)
from tests.support.recording_backend import RecordingBackend
from tests.support.skipping_loop import can_skip_time, skip

NEW_KID = "new"
OTHER = mint.jwk(mint.private_key("other"), NEW_KID)
GOOD = response(mint.jwks())
FAILS = says(response(b"", status="500 x"))


@contextlib.asynccontextmanager
async def source_of(
    url: str, session: aiohttp.ClientSession | None = None
) -> AsyncIterator[JwksSource]:
    """Run a key source the way the server does, and end it."""
    async with session or aiohttp.ClientSession() as fetching:
        source = JwksSource(mint.POOL_ID, url, fetching)
        running = asyncio.get_running_loop().create_task(source.run())
        try:
            yield source
            assert not running.done(), "the keys would never be refreshed again"
        finally:
            running.cancel()
            await source.close()
            await asyncio.gather(running, return_exceptions=True)


async def refetch(source: JwksSource, kid: str = "made-up") -> None:
    """Let the time pass after which an unknown kid may cause a fetch, and cause it."""
    skip(REFETCH_S)
    await source.seek(kid)


# --- bad answers ---------------------------------------------------------------------------------


def bomb(compressed_bytes: int) -> bytes:
    """Compress zeros until they take this much room."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b""
    while len(packed) < compressed_bytes:
        packed += compressor.compress(bytes(1 << 20))
    return packed + compressor.flush()


def gzip(document: bytes) -> bytes:
    """Compress a document."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return compressor.compress(document) + compressor.flush()


BAD_ANSWERS: dict[str, Behaviour] = {
    "nothing at all": says(),
    "no HTTP": says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "half a head": says(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "a head of 1 MB": says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n"),
    "half the body": says(response(mint.jwks(), length=len(mint.jwks()) + 1)),
    "empty": says(response(b"")),
    "white space": says(response(b" \n")),
    "NUL bytes": says(response(bytes(1000))),
    "null": says(response(b"null")),
    "null keys": says(response(b'{"keys":null}')),
    "no keys": says(response(b'{"keys":[]}')),
    "HTML": says(response(b"<!doctype html><title>Sign in</title>", "Content-Type: text/html")),
    "bad JSON": says(response(mint.jwks()[:-1])),
    "duplicate names": says(response(b'{"keys":[],' + mint.jwks()[1:])),
    "UTF-16": says(response(mint.jwks().decode().encode("utf-16"))),
    "deeply nested": says(response(b"[" * 200_000)),
    "204": says(response(mint.jwks(OTHER), status="204 No Content", length=0)),
    "301": says(response(mint.jwks(OTHER), "Location: /", status="301 Moved Permanently")),
    "403": says(response(mint.jwks(OTHER), status="403 Forbidden")),
    "404": says(response(mint.jwks(OTHER), status="404 Not Found")),
    "500": says(response(mint.jwks(OTHER), status="500 Internal Server Error")),
    "503": says(response(mint.jwks(OTHER), status="503 Slow Down")),
    "206": says(response(mint.jwks(OTHER), status="206 Partial Content")),
    "one byte too many": says(response(mint.jwks(OTHER).ljust(MAX_DOCUMENT_BYTES + 1))),
    "gzip": says(response(gzip(mint.jwks(OTHER)), "Content-Encoding: gzip")),
    "gzip in name only": says(response(b"x", "Content-Encoding: gzip")),
    "only useless keys": says(response(mint.jwks({**OTHER, "use": "enc"}))),
    "bad chunk": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
}  # fmt: skip

BROKEN_OFF = {"nothing at all", "half a head"}


@pytest.mark.parametrize("name", list(BAD_ANSWERS))
@can_skip_time
async def test_bad_answer_keeps_the_old_keys(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the key server sends, known keys serve on, and the log says so without its bytes."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        server.behave = BAD_ANSWERS[name]
        with pytest.raises(KeysUnavailable):
            await refetch(source)
        # aiohttp repeats a GET once whose connection broke before an answer (RFC 9110 §9.2.2).
        assert server.fetches == (3 if name in BROKEN_OFF else 2)
        assert set(source.current()) == {mint.KID}
        assert f"no key set for pool {mint.POOL_ID}: " in caplog.text
        assert "Traceback" not in caplog.text
        assert OTHER["n"] not in caplog.text
        server.behave = says(response(mint.jwks(mint.jwk(), OTHER)))
        await refetch(source)
        assert set(source.current()) == {mint.KID, NEW_KID}


@can_skip_time
async def test_largest_allowed_document_is_read() -> None:
    """256 KiB of document, whatever its pieces."""
    body = mint.jwks().ljust(MAX_DOCUMENT_BYTES)
    pieces = response(body)
    behave = says(*(pieces[i : i + 5000] for i in range(0, len(pieces), 5000)))
    async with RawKeyServer(behave).running() as server, source_of(server.url) as source:
        await source.until_fetched()
        assert set(source.current()) == {mint.KID}


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 1000000000\r\n\r\n",
        b"Connection: close\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
    ],
)
@can_skip_time
async def test_document_of_a_gigabyte_is_not_read(head: bytes) -> None:
    """The fetch ends at the limit; what the server still gets rid of is in socket buffers."""

    async def pours(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + head)
        chunk = bytes(65536)
        await server.pour(
            writer, b"10000\r\n%b\r\n" % chunk if b"chunked" in head else chunk, 15000
        )

    async with RawKeyServer(pours).running() as server, source_of(server.url) as source:
        await server.until_fetches(2)
        assert server.sent < 32 * 1024 * 1024
        with pytest.raises(KeysUnavailable):
            source.current()


@can_skip_time
async def test_gzip_bomb_is_not_inflated() -> None:
    """200 KiB that would become 200 MiB cost 200 KiB."""
    packed = bomb(200_000)
    answer = says(response(packed, "Content-Encoding: gzip"))
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        server.behave = answer
        tracemalloc.start()
        try:
            with pytest.raises(KeysUnavailable):
                await refetch(source)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 4 * 1024 * 1024
        assert b"accept-encoding: identity" in server.requests[-1].lower()


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
@can_skip_time
async def test_redirect_is_not_followed(status: str) -> None:
    """Keys come from where the settings say; the canary hears nothing."""
    async with RawKeyServer().running() as canary, RawKeyServer().running() as server:
        server.behave = says(response(b"", f"Location: {canary.url}", status=status))
        async with source_of(server.url) as source:
            await server.until_fetches(2)
            with pytest.raises(KeysUnavailable):
                source.current()
        assert canary.fetches == 0


async def drips_head(writer: asyncio.StreamWriter) -> None:
    """Send one byte of the head each second."""
    for byte in GOOD:
        writer.write(bytes([byte]))
        await asyncio.sleep(1)


async def drips_body(writer: asyncio.StreamWriter) -> None:
    """Send the head at once and one byte of the body each second."""
    head, _, body = GOOD.partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    for byte in body:
        writer.write(bytes([byte]))
        await asyncio.sleep(1)


async def drips_interim(writer: asyncio.StreamWriter) -> None:
    """Send one interim response each second."""
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(1)


@pytest.mark.parametrize("behave", [drips_head, drips_body, drips_interim, never_answers])
@can_skip_time
async def test_slow_drip_is_cut_off(behave: Behaviour, caplog: pytest.LogCaptureFixture) -> None:
    """3 s in all, however regularly the bytes come; the connection is closed then."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        server.behave = behave
        skip(REFETCH_S)
        seeking = asyncio.ensure_future(source.seek("made-up"))
        await server.until_fetches(2)
        start = asyncio.get_running_loop().time()
        while not seeking.done() and asyncio.get_running_loop().time() < start + 60:
            await asyncio.sleep(0.01)
            skip(0.09)
        elapsed_s = asyncio.get_running_loop().time() - start
        assert FETCH_TIMEOUT_S - 0.5 < elapsed_s < FETCH_TIMEOUT_S + 1
        with pytest.raises(KeysUnavailable):
            await seeking
        assert "no answer within 3 s" in caplog.text
        assert set(source.current()) == {mint.KID}


# --- TLS -----------------------------------------------------------------------------------------


def certificate_context(folder: Path) -> ssl.SSLContext:
    """Make a server with a certificate that nobody vouches for."""
    key = mint.private_key("tls")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    both = folder / "tls.pem"
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


@can_skip_time
async def test_certificate_that_nobody_vouches_for_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever can stand in for the key server can sign tokens."""
    async with RawKeyServer().running(certificate_context(tmp_path)) as server:
        async with source_of(server.url) as source:
            await until_logged(caplog, "ClientConnectorCertificateError")
            with pytest.raises(KeysUnavailable):
                source.current()
        assert server.fetches == 0


@can_skip_time
async def test_plain_text_behind_https_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """There is no falling back to what is not encrypted."""

    def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GOOD)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, source_of(f"https://127.0.0.1:{port}/") as source:
        await until_logged(caplog, "ClientConnectorSSLError")
        with pytest.raises(KeysUnavailable):
            source.current()


async def until_logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Wait for a log line; time runs ten times as fast."""
    async with asyncio.timeout(50):
        while text not in caplog.text:
            await asyncio.sleep(0.01)
            skip(0.09)


# --- entries of a set ----------------------------------------------------------------------------


@can_skip_time
async def test_set_with_useless_entries_in_between_serves_the_good_ones() -> None:
    """EC, oct, `use: enc`, tiny keys, a duplicated kid: skipped; a duplicate serves neither."""
    tiny = {**mint.jwk(kid="tiny"), "n": mint.jwk()["n"][:170]}
    entries = [
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "ec"},
        {"kty": "oct", "k": "AAAA", "kid": "oct"},
        mint.jwk(kid="enc", use="enc"),
        mint.jwk(),
        tiny,
        mint.jwk(kid="twice"),
        mint.jwk(mint.private_key("other"), "twice"),
        None,
        OTHER,
    ]
    answer = says(response(json.dumps({"keys": entries}).encode()))
    async with RawKeyServer(answer).running() as server, source_of(server.url) as source:
        await source.until_fetched()
        assert set(source.current()) == {mint.KID, NEW_KID}


# --- unknown kids --------------------------------------------------------------------------------


@can_skip_time
async def test_flood_of_made_up_kids_costs_one_fetch_per_period() -> None:
    """10 000 kids a second, for 30 seconds: three fetches, and the known key serves all along."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        for second in range(30):
            for number in range(10_000):
                await source.seek(f"{second}-{number}")
            assert mint.KID in source.current()
            skip(1)
        assert server.fetches <= 1 + 30 // REFETCH_S


@can_skip_time
async def test_concurrent_made_up_kids_share_one_fetch_and_hold_no_memory() -> None:
    """While a fetch is under way so many wait for it; the rest are told to come back."""
    answering = asyncio.Event()

    async def answers_when_told(writer: asyncio.StreamWriter) -> None:
        await answering.wait()
        await publishes_the_keys(writer)

    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        server.behave = answers_when_told
        skip(REFETCH_S)
        seeking = [asyncio.ensure_future(source.seek(f"{number}")) for number in range(10_000)]
        await server.until_fetches(2)
        answering.set()
        outcomes = await asyncio.gather(*seeking, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, KeysUnavailable)]
        assert outcomes.count(None) == MAX_WAITING
        assert len(refused) == 10_000 - MAX_WAITING
        assert {error.retry_after_s for error in refused} == {1}
        assert server.fetches == 2
        await source.seek("again")
        assert server.fetches == 2


@can_skip_time
async def test_flood_does_not_delay_a_rotation_by_more_than_one_period() -> None:
    """A new key is known as soon as the next fetch is allowed."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        await refetch(source)
        server.behave = says(response(mint.jwks(mint.jwk(), OTHER)))
        elapsed_s = 0.0
        while NEW_KID not in source.current():
            await source.seek(f"made-up-{elapsed_s}")
            await source.seek(NEW_KID)
            skip(0.1)
            elapsed_s += 0.1
        assert elapsed_s <= REFETCH_S + 0.2


@can_skip_time
async def test_client_that_leaves_does_not_end_the_fetch_for_the_others() -> None:
    """A cancelled wait cancels nothing but itself."""
    answering = asyncio.Event()

    async def answers_when_told(writer: asyncio.StreamWriter) -> None:
        await answering.wait()
        await says(response(mint.jwks(mint.jwk(), OTHER)))(writer)

    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        server.behave = answers_when_told
        skip(REFETCH_S)
        leaving = asyncio.ensure_future(source.seek(NEW_KID))
        staying = asyncio.ensure_future(source.seek(NEW_KID))
        await server.until_fetches(2)
        leaving.cancel()
        answering.set()
        await staying
        assert NEW_KID in source.current()
        assert leaving.cancelled()


@can_skip_time
async def test_request_that_waits_while_its_source_is_closed_is_unavailable() -> None:
    """As after a change of settings: nobody can say any more, and the request is not cancelled."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        server.behave = never_answers
        skip(REFETCH_S)
        seeking = asyncio.ensure_future(source.seek(NEW_KID))
        await server.until_fetches(2)
        await source.close()
        with pytest.raises(KeysUnavailable) as refused:
            await seeking
        assert refused.value.retry_after_s == 1


@can_skip_time
async def test_failed_fetch_is_remembered() -> None:
    """While the key server fails, unknown kids get 503 without a fetch each."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        server.behave = FAILS
        for _ in range(2):
            with pytest.raises(KeysUnavailable) as refused:
                await refetch(source)
            assert refused.value.retry_after_s == REFETCH_S
        fetches = server.fetches
        for number in range(1000):
            with pytest.raises(KeysUnavailable):
                await source.seek(f"{number}")
        assert server.fetches == fetches
        await source.seek(mint.KID)  # a known one needs no answer
        assert server.fetches == fetches


# --- outage --------------------------------------------------------------------------------------


@can_skip_time
async def test_key_server_down_at_start_heals_by_itself_with_back_off() -> None:
    """Retries come quickly at first, then every ten seconds, and the first good answer is taken."""
    async with RawKeyServer(FAILS).running() as server, source_of(server.url) as source:
        times = []
        for count in range(1, 12):
            await until_fetches(server, count)
            times.append(asyncio.get_running_loop().time())
            with pytest.raises(KeysUnavailable) as refused:
                source.current()
            assert refused.value.retry_after_s == 1
        waits = [after - before for before, after in itertools.pairwise(times)]
        expected = [0.5, 1, 2, 4, 8, 10, 10, 10, 10, 10]
        for wait_s, least_s in zip(waits, expected, strict=True):
            assert least_s - 0.2 < wait_s < least_s * (1 + JITTER) + 0.7
        server.behave = publishes_the_keys
        await until_fetches(server, 12)
        await source.until_fetched()
        assert mint.KID in source.current()


async def until_fetches(server: RawKeyServer, count: int) -> None:
    """Wait for so many requests; time runs ten times as fast."""
    async with asyncio.timeout(10_000):
        while server.fetches < count:
            await asyncio.sleep(0.01)
            skip(0.09)


@can_skip_time
async def test_outage_of_hours_at_start_heals() -> None:
    """The back-off never overflows: after 1 100 failures keys are still being fetched."""
    async with RawKeyServer(says()).running() as server, source_of(server.url) as source:
        for count in range(1, 1100):
            await server.until_fetches(count)
            skip(2 * REFETCH_S)
        server.behave = publishes_the_keys
        skip(2 * REFETCH_S)
        await source.until_fetched()
        assert mint.KID in source.current()


@can_skip_time
async def test_keys_serve_on_through_an_outage_of_a_day(caplog: pytest.LogCaptureFixture) -> None:
    """24 hours after the last good answer they are trusted no longer; one good answer heals."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        server.behave = FAILS
        skip(STALE_S - 60)
        await server.until_fetches(2)
        assert mint.KID in source.current()
        skip(120)
        with pytest.raises(KeysUnavailable):
            source.current()
        server.behave = publishes_the_keys
        fetches = server.fetches
        skip(2 * REFETCH_S)
        await server.until_fetches(fetches + 1)
        await source.seek("made-up")  # waits for the fetch that is under way
        assert mint.KID in source.current()
        assert "the key server answered 500" in caplog.text


@can_skip_time
async def test_keys_are_refreshed_in_the_background() -> None:
    """Every 15 minutes and a little, so that sidecars started together drift apart."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        skip(REFRESH_S - 5)
        await asyncio.sleep(0.05)
        assert server.fetches == 1
        server.behave = says(response(mint.jwks(OTHER)))
        skip(REFRESH_S * JITTER + 10)
        await server.until_fetches(2)
        await source.seek(NEW_KID)  # waits for the fetch that is under way
        assert set(source.current()) == {NEW_KID}


@can_skip_time
async def test_unexpected_exception_ends_neither_the_refresh_nor_a_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Here the session is gone: a RuntimeError that no one foresaw. It is logged and retried."""
    session = aiohttp.ClientSession()
    async with RawKeyServer().running() as server, source_of(server.url, session) as source:
        await source.until_fetched()
        await session.close()
        with pytest.raises(KeysUnavailable):
            await refetch(source)
        with pytest.raises(KeysUnavailable):
            await refetch(source)
        assert mint.KID in source.current()
        assert "a bug of ours" in caplog.text
        assert "RuntimeError" in caplog.text


# --- rotation ------------------------------------------------------------------------------------


@can_skip_time
async def test_rotation_brings_the_new_key_and_takes_the_old_with_its_cached_tokens() -> None:
    """A new kid works after one fetch; an old one is refused, cached tokens included."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        auth = authenticator(Pool(mint.POOL_ID, RULES, source))
        old = mint.mint()
        new = mint.mint(header={"alg": "RS256", "kid": NEW_KID}, key=mint.private_key("other"))
        assert auth.authenticate(old, mint.NOW).fields
        with pytest.raises(KeyUnknown):
            auth.authenticate(new, mint.NOW)
        server.behave = says(response(mint.jwks(mint.jwk(), OTHER)))
        await refetch(source, NEW_KID)
        assert auth.authenticate(new, mint.NOW).fields
        assert auth.authenticate(old, mint.NOW).fields
        server.behave = says(response(mint.jwks(OTHER)))
        await refetch(source)
        with pytest.raises(KeyUnknown):
            auth.authenticate(old, mint.NOW)
        assert auth.authenticate(new, mint.NOW).fields
        assert server.fetches == 3


@can_skip_time
async def test_kid_that_changes_hands_takes_its_cached_tokens_with_it() -> None:
    """The same name with another key is another key."""
    async with RawKeyServer().running() as server, source_of(server.url) as source:
        await source.until_fetched()
        auth = authenticator(Pool(mint.POOL_ID, RULES, source))
        assert auth.authenticate(mint.mint(), mint.NOW).fields
        server.behave = says(response(mint.jwks(mint.jwk(mint.private_key("other")))))
        await refetch(source)
        with pytest.raises(SignatureInvalid):
            auth.authenticate(mint.mint(), mint.NOW)


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pool_id",
    [
        "eu-west-1_a/b",
        "eu-west-1_..",
        "../eu-west-1_a",
        "eu-west-1_a@evil.example",
        "evil.example/_a",
        "eu-west-1.evil.example_a",
        "eu-west-1_a#",
        "eu-west-1_a?",
        "eu-west-1_a b",
        "eu-west-1\r\n_a",
    ],
)
async def test_pool_id_that_could_lead_elsewhere_is_refused_at_start(
    start_sidecar: StartSidecar, pool_id: str
) -> None:
    """A region or pool with `/`, `..` or `@` would fetch keys from another host."""
    with pytest.raises(SettingsInvalid, match="user pool id"):
        await start_sidecar(user_pool_id=pool_id)


# --- behind a socket -----------------------------------------------------------------------------


def request(token: bytes) -> bytes:
    """Write a request with a token."""
    return b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n" % token


@pytest.mark.parametrize("mode", ["strip", "optional", "require"])
async def test_key_server_down_at_start_gives_503_until_it_heals(
    start_sidecar: StartSidecar,
    key_server: KeyServer,
    backend: RecordingBackend,
    token: BearerToken,
    mode: str,
) -> None:
    """Live, not ready, no token taken for bad or good, in any mode; then all is well by itself."""
    key_server.status = 500
    sidecar = await start_sidecar(is_ready=False, mode=mode)
    get = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"
    assert (await ask(sidecar.admin_address, get % b"/livez")).status == 200
    assert (await ask(sidecar.admin_address, get % b"/readyz")).status == 503
    answer = await ask(sidecar.address, request(token))
    assert answer.status == 503
    assert answer.fields["retry-after"] == "1"
    assert answer.fields["x-cognito-auth"] == "anonymous; reason=keys_unavailable"
    assert backend.requests == []
    key_server.status = 200
    await sidecar.until_ready()
    assert (await ask(sidecar.admin_address, get % b"/readyz")).status == 200
    assert (await ask(sidecar.address, request(token))).status == 200
    assert backend.last.values("x-cognito-sub") == [mint.SUB]


async def test_flood_of_made_up_kids_leaves_good_traffic_alone(
    start_sidecar: StartSidecar,
    key_server: KeyServer,
    backend: RecordingBackend,
    token: BearerToken,
) -> None:
    """Each made-up kid is refused at once, without a fetch; good tokens pass in between."""
    sidecar = await start_sidecar(mode="require")
    for number in range(30):
        made_up = [
            mint.mint(header={"alg": "RS256", "kid": f"{number}-{i}"}, signature=b"x")
            for i in range(20)
        ]
        answers = await asyncio.gather(
            *(ask(sidecar.address, request(hostile)) for hostile in [*made_up, token])
        )
        assert [answer.status for answer in answers] == [401] * 20 + [200]
        assert answers[0].fields["x-cognito-auth"] == "anonymous; reason=key_unknown"
    assert key_server.fetches == 1
    assert len(backend.requests) == 30
