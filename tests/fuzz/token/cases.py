"""Named tokens for the table in README: one thing wrong with each, all else right."""

import hashlib
import hmac
import json
from collections.abc import Iterator

from cryptography.hazmat.primitives import serialization

from sidecar.identity import base64url
from tests.support import mint

NOW = mint.NOW
_HEADER = {"kid": mint.KID, "alg": "RS256"}


def named_cases() -> Iterator[tuple[str, bytes]]:
    """Make them, the good one first."""
    yield "a good access token", mint.mint()
    yield from _header_cases()
    yield from _time_cases()
    yield from _claim_cases()
    yield from _json_cases()
    yield from _spelling_cases()


def _header_cases() -> Iterator[tuple[str, bytes]]:
    content = _signing_input({**_HEADER, "alg": "none"})
    yield "`alg: none`, no signature", content + b"."
    pem = (
        mint.private_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    content = _signing_input({**_HEADER, "alg": "HS256"})
    signature = hmac.new(pem, content, hashlib.sha256).digest()
    yield "HS256 with the public key as secret", content + b"." + base64url.encode(signature)
    yield "`crit` with an unknown extension", _with_header(crit=["x"], x=1)
    yield "`crit` empty", _with_header(crit=[])
    yield "`b64: false`", _with_header(b64=False)
    yield "`kid` missing", mint.mint(header={"alg": "RS256"})
    yield "`kid` that names another key", _with_header(kid="second")
    yield "`kid` that is a list", _with_header(kid=[mint.KID])


def _time_cases() -> Iterator[tuple[str, bytes]]:
    yield "`exp` missing", mint.mint(exp=None)
    yield "`exp` as text", mint.mint(exp=str(NOW + 3600))
    yield "`exp` just now", mint.mint(exp=NOW)
    yield "`exp` in ten years", mint.mint(exp=NOW + 10 * 365 * 86400)
    yield "`iat` a million seconds ahead", mint.mint(iat=NOW + 1_000_000, exp=NOW + 1_003_600)
    yield "`nbf` an hour ahead", mint.mint(nbf=NOW + 3600)


def _claim_cases() -> Iterator[tuple[str, bytes]]:
    yield "`iss` of another pool", mint.mint(iss=mint.ISSUER[:-1] + "2")
    yield "`client_id` missing", mint.mint(client_id=None)
    yield "`aud` of another client as well", mint.mint(aud="other")
    yield "`sub` missing", mint.mint(sub=None)
    yield "`sub` empty", mint.mint(sub="")
    yield "`sub` with CR LF", mint.mint(sub="a\r\nX-Cognito-Sub: admin")
    yield "`sub` with NUL", mint.mint(sub="a\0b")


def _json_cases() -> Iterator[tuple[str, bytes]]:
    inside = json.dumps(mint.access_claims()).encode()[1:-1]
    yield "`sub` twice", mint.mint(b"{" + inside + b', "sub": "admin"}')
    header = b'{"alg":"none","alg":"RS256","kid":"%b"}' % mint.KID.encode()
    yield "`alg` twice", mint.mint(header=header)
    yield "`NaN` in a claim", mint.mint(b"{" + inside + b', "x": NaN}')
    yield "`Infinity` as `exp`", mint.mint(exp=float("inf"))
    yield "`1e400` in a claim", mint.mint(b"{" + inside + b', "x": 1e400}')
    yield "an integer of 4000 digits", mint.mint(b"{" + inside + b', "x": ' + b"9" * 4000 + b"}")
    yield "a byte order mark", mint.mint(b"\xef\xbb\xbf{" + inside + b"}")
    yield "a lone surrogate", mint.mint(b"{" + inside + rb', "x": "\ud800"}')
    for name, depth in {"1000": 1000, "100 000": 100_000}.items():
        nested = b"[" * depth + b"]" * depth
        yield f"arrays {name} deep", mint.mint(b"{" + inside + b', "x": ' + nested + b"}")


def _spelling_cases() -> Iterator[tuple[str, bytes]]:
    token = mint.mint()
    content, _, signature = token.rpartition(b".")
    yield "padded signature", token + b"=="
    for name, junk in {"line breaks": b"\n\n\n\n", "junk": b"!!!!"}.items():
        yield f"{name} inside the signature", content + b"." + signature[:9] + junk + signature[9:]
    last = _ALPHABET.index(signature[-1:])
    yield "bits left over in the signature", token[:-1] + _ALPHABET[last + 1 : last + 2]
    yield "padding inside the payload", content[:-2] + b"====" + content[-2:] + b"." + signature
    yield "non-ASCII in the signature", token + b"\xe9"
    yield "a fourth part", token + b".AA"
    yield "8 KiB and one byte", _of_size(8 * 1024 + 1)


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _with_header(**parameters: object) -> bytes:
    return mint.mint(header={**_HEADER, **parameters})


def _signing_input(header: dict[str, str]) -> bytes:
    documents = (header, mint.access_claims())
    return b".".join(base64url.encode(json.dumps(document).encode()) for document in documents)


def _of_size(size: int) -> bytes:
    filler = 0
    while len(token := mint.mint(filler="x" * filler)) < size:
        filler += 1 + (size - len(token)) * 3 // 5
    return token
