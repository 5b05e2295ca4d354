"""The rows of ATTACKS "Token" as tokens: each with the reasons that are right for it.

Made for a given time, so that they can be judged alone and by a sidecar that reads the clock.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from sidecar.identity import base64url
from sidecar.model import BearerToken
from tests.support import mint

ATTACKER = mint.private_key("attacker")
HEADER: dict[str, object] = {"kid": mint.KID, "alg": "RS256"}


@dataclass(frozen=True, slots=True)
class HostileToken:
    """One attack.

    Attributes:
        name: Of the attack, for the test's id.
        token: What stands after `Bearer `.
        reasons: Acceptable ones.
    """

    name: str
    token: BearerToken
    reasons: tuple[str, ...]


def hostile_tokens(now: float) -> list[HostileToken]:
    """Make all of them, for a time at which `mint.mint(now=now)` is good."""
    return [
        HostileToken(name, BearerToken(token), (reason,) if isinstance(reason, str) else reason)
        for group in (
            _algorithms, _kids, _key_places, _parameters, _shapes, _spellings, _documents, _times,
            _issuers, _audiences, _subjects, _signatures, _heavy,
        )
        for name, token, reason in group(now)
    ]  # fmt: skip


Row = tuple[str, bytes, str | tuple[str, ...]]
Rows = Iterator[Row]
_MALFORMED = "token_malformed"


def _algorithms(now: float) -> Rows:
    reason = "algorithm_not_allowed"
    for alg in (
        "none",
        "None",
        "nOnE",
        "NONE",
        "rs256",
        "RS512",
        "HS256",
        "",
        ["RS256"],
        None,
        256,
    ):
        yield f"alg {alg!r}", mint.mint(header={**HEADER, "alg": alg}, now=now), reason
    yield "alg missing", mint.mint(header={"kid": mint.KID}, now=now), reason
    for alg in ("none", "None", "nOnE"):
        signed = mint.mint(header={**HEADER, "alg": alg}, now=now)
        yield f"alg {alg} without signature", signed[: signed.rindex(b".") + 1], reason
    public = mint.private_key().public_key()
    secrets = {
        "PEM": public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "PKCS#1 PEM": public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.PKCS1
        ),
        "DER": public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "JWKS": mint.jwks(),
        "modulus": str(mint.jwk()["n"]).encode(),
        "nothing": b"",
    }
    for name, secret in secrets.items():
        content = _signing_input({**HEADER, "alg": "HS256"}, mint.access_claims(now))
        signature = hmac.new(secret, content, hashlib.sha256).digest()
        yield f"HS256 with the public key as {name}", _join(content, signature), reason
    content = _signing_input({**HEADER, "alg": "RS512"}, mint.access_claims(now))
    signature = mint.private_key().sign(content, padding.PKCS1v15(), hashes.SHA512())
    yield "RS512 signed by the key", _join(content, signature), reason
    content = _signing_input({**HEADER, "alg": "PS256"}, mint.access_claims(now))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    yield (
        "PS256 signed by the key",
        _join(content, mint.private_key().sign(content, pss, hashes.SHA256())),
        reason,
    )
    content = _signing_input({**HEADER, "alg": "ES256"}, mint.access_claims(now))
    ec_key = ec.generate_private_key(ec.SECP256R1())
    yield "ES256", _join(content, ec_key.sign(content, ec.ECDSA(hashes.SHA256()))), reason


def _kids(now: float) -> Rows:
    yield "kid missing", mint.mint(header={"alg": "RS256"}, now=now), _MALFORMED
    for kid in (None, 1, True, "", [mint.KID], {"kid": mint.KID}):
        yield f"kid {kid!r}", mint.mint(header={**HEADER, "kid": kid}, now=now), _MALFORMED
    for name, text in {
        "../../x": "../../x",
        "/dev/null": "../../../dev/null",
        "URL": "https://evil.example/jwks.json",
        "SQL": "' UNION SELECT 'x",
        "NUL": mint.KID + "\0",
        "NUL first": "\0" + mint.KID,
        "white space": mint.KID + " ",
        "other case": mint.KID.upper(),
        "base64url for base64": mint.KID.replace("/", "_").replace("+", "-"),
        "4 KB": "x" * 4000,
        "line break": mint.KID + "\r\nX-Cognito-Sub: x",
    }.items():
        token = mint.mint(header={**HEADER, "kid": text}, now=now)
        yield f"kid {name}", token, "key_unknown"
    yield "kid 10 KB", mint.mint(header={**HEADER, "kid": "x" * 10_000}, now=now), "token_too_large"
    yield "kid of another key", mint.mint(key=ATTACKER, now=now), "signature_invalid"


def _key_places(now: float) -> Rows:
    attacker = mint.jwk(ATTACKER)
    for kid, reason in ((mint.KID, "signature_invalid"), ("attacker", "key_unknown")):
        for name, value in {
            "jwk": attacker,
            "jku": "http://127.0.0.1:%d/jwks.json",
            "x5u": "http://127.0.0.1:%d/cert.pem",
            "x5c": ["MIIB"],
        }.items():
            header = {**HEADER, "kid": kid, name: value}
            yield f"{name} with kid {kid}", mint.mint(header=header, key=ATTACKER, now=now), reason


def _parameters(now: float) -> Rows:
    refused: tuple[dict[str, object], ...] = (
        {"crit": []},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": ["b64"], "b64": True},
        {"crit": "exp"},
        {"crit": None},
        {"crit": ["http://example.com/x"], "http://example.com/x": 1},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"typ": ["JWT"]},
        {"typ": 1},
    )
    for parameters in refused:
        yield (
            f"header {parameters}",
            mint.mint(header={**HEADER, **parameters}, now=now),
            _MALFORMED,
        )
    raw = json.dumps(mint.access_claims(now)).encode()
    content = base64url.encode(
        b'{"alg":"RS256","kid":"%b","b64":false,"crit":["b64"]}' % mint.KID.encode()
    )
    signature = mint.sign(content + b"." + raw, mint.private_key())
    yield (
        "b64 false, payload as it is",
        content + b"." + raw + b"." + base64url.encode(signature),
        _MALFORMED,
    )


def _shapes(now: float) -> Rows:
    header, payload, signature = mint.mint(now=now).split(b".")
    yield "JWE", b".".join([header, payload, signature, payload, signature]), _MALFORMED
    jwe = base64url.encode(b'{"alg":"RSA-OAEP","enc":"A256GCM","kid":"%b"}' % mint.KID.encode())
    yield "JWE of RSA-OAEP", b".".join([jwe, b"AA", b"AA", b"AA", b"AA"]), _MALFORMED
    nested = mint.mint(mint.mint(now=now), header={**HEADER, "cty": "JWT"})
    yield "nested JWT", nested, _MALFORMED
    yield "nested JWT that does not say so", mint.mint(mint.mint(now=now)), _MALFORMED
    yield "1 part", header, _MALFORMED
    yield "2 parts", header + b"." + payload, _MALFORMED
    yield "4 parts", b".".join([header, payload, signature, b"AA"]), _MALFORMED
    yield "4 parts, the last empty", b".".join([header, payload, signature, b""]), _MALFORMED
    yield "no header", b"." + payload + b"." + signature, _MALFORMED
    yield "no payload", header + b".." + signature, _MALFORMED
    yield "no signature", header + b"." + payload + b".", _MALFORMED
    yield "only dots", b"..", _MALFORMED
    yield "JSON serialisation", json.dumps({"payload": payload.decode()}).encode(), _MALFORMED
    yield "quoted", b'"' + mint.mint(now=now) + b'"', _MALFORMED
    yield "two tokens", mint.mint(now=now) + b", Bearer " + mint.mint(now=now), _MALFORMED
    yield "one byte too large", _of_size(8193, now), "token_too_large"


def _spellings(now: float) -> Rows:
    parts = mint.mint(now=now).split(b".")
    for index, name in enumerate(("header", "payload", "signature")):
        for junk in (b"=", b"==", b" ", b"\t", b"!", b"%3D", b"\x80", b"$", b",", b"~"):
            yield (
                f"{junk!r} after the {name}",
                _changed(parts, index, parts[index] + junk),
                _MALFORMED,
            )
        middle = len(parts[index]) // 2
        for junk in (b" ", b"=", b"@", b"\xa0"):
            changed = parts[index][:middle] + junk + parts[index][middle:]
            yield f"{junk!r} in the {name}", _changed(parts, index, changed), _MALFORMED
    for issued in range(1, 500):
        parts = mint.mint(now=now, iat=int(now) - issued).split(b".")
        if b"-" in parts[2] and b"_" in parts[2]:
            break
    standard = parts[2].replace(b"-", b"+").replace(b"_", b"/")
    yield "signature in standard base64", _changed(parts, 2, standard), _MALFORMED
    yield "signature in standard base64, padded", _changed(parts, 2, standard + b"=="), _MALFORMED
    last = b"AQgw".index(parts[2][-1:])
    for offset in range(1, 16):
        respelt = parts[2][:-1] + _ALPHABET[last * 16 + offset : last * 16 + offset + 1]
        yield f"trailing bits {offset}", _changed(parts, 2, respelt), _MALFORMED


def _documents(now: float) -> Rows:
    claims = json.dumps(mint.access_claims(now)).encode()
    header = json.dumps(HEADER).encode()
    inside = claims[1:-1]
    for name, document in {
        "duplicate sub": b'{"sub":"admin",' + inside + b"}",
        "duplicate sub behind": b"{" + inside + b',"sub":"admin"}',
        "duplicate sub escaped": b"{" + inside + rb',"\u0073ub":"admin"}',
        "duplicate exp": b"{" + inside + b',"exp":99999999999}',
        "duplicate name inside": b"{" + inside + b',"x":{"a":1,"a":2}}',
        "NaN": b"{" + inside + b',"x":NaN}',
        "Infinity": b"{" + inside + b',"x":Infinity}',
        "-Infinity": b"{" + inside + b',"x":-Infinity}',
        "1e400": b"{" + inside + b',"x":1e400}',
        "integer of 5000 digits": b"{" + inside + b',"x":' + b"9" * 5000 + b"}",
        "integer of 20 digits": b"{" + inside + b',"x":' + b"9" * 20 + b"}",
        "lone surrogate": b"{" + inside + rb',"x":"\ud800"}',
        "surrogate in UTF-8": b"{" + inside + b',"x":"\xed\xa0\x80"}',
        "invalid UTF-8": b"{" + inside + b',"x":"\xff"}',
        "overlong UTF-8": b"{" + inside + b',"x":"\xc0\xaf"}',
        "raw control character": b"{" + inside + b',"x":"\n"}',
        "byte order mark": b"\xef\xbb\xbf" + claims,
        "UTF-16": claims.decode().encode("utf-16"),
        "UTF-16 without mark": claims.decode().encode("utf-16-le"),
        "UTF-32": claims.decode().encode("utf-32-be"),
        "nested 2000 deep": b"{" + inside + b',"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
        "objects nested 900 deep": b"{"
        + inside
        + b',"x":'
        + b'{"":' * 900
        + b"1"
        + b"}" * 900
        + b"}",
        "opened 5500 times": b"[" * 5500,
        "escaped quotes without end": b'{"a":[[[[[[[[["' + rb"\"" * 2700,
        "array": b"[" + claims + b"]",
        "text": json.dumps(claims.decode()).encode(),
        "null": b"null",
        "empty object and more": b"{}" + claims,
        "NUL behind": claims + b"\0",
        "comment": claims + b"//",
        "single quotes": claims.replace(b'"', b"'"),
    }.items():
        yield f"payload: {name}", mint.mint(document), _MALFORMED
    yield "payload: nested 100000 deep", mint.mint(b"[" * 100_000), "token_too_large"
    for name, document in {
        "duplicate alg": b'{"alg":"none",' + header[1:],
        "duplicate kid": header[:-1] + b',"kid":"x"}',
        "duplicate parameter": header[:-1] + b',"x":1,"x":1}',
        "NaN": header[:-1] + b',"x":NaN}',
        "byte order mark": b"\xef\xbb\xbf" + header,
        "UTF-16": header.decode().encode("utf-16"),
        "lone surrogate": header[:-1] + rb',"x":"\ud800"}',
        "nested 2000 deep": header[:-1] + b',"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
        "array": b"[" + header + b"]",
        "nothing": b" ",
    }.items():
        yield f"header: {name}", mint.mint(header=document, now=now), _MALFORMED


def _times(now: float) -> Rows:
    at = int(now)
    yield "exp missing", mint.mint(exp=None, now=now), "claim_missing"
    for exp in ("null", f'"{at + 60}"', f"[{at + 60}]", "true", "false", "-1", "{}", '""'):
        yield f"exp {exp}"[:9], _with_member("exp", exp, now), "claim_invalid"
    yield "exp just now", mint.mint(exp=at, now=now), "token_expired"
    yield "exp a second ago", mint.mint(exp=at - 1, now=now), "token_expired"
    yield "exp 0", mint.mint(exp=0, now=now), "token_expired"
    yield "exp 1e-5", _with_member("exp", "1e-5", now), "token_expired"
    for exp in (f"{at * 1000}", f"{at + 90_000}", "9999999999999999999", "1e300"):
        yield f"exp far: {len(exp)} {exp[-2:]}", _with_member("exp", exp, now), "claim_invalid"
    yield "exp far without iat", mint.mint(exp=at + 90_000, iat=None, now=now), "claim_invalid"
    for name in ("nbf", "iat"):
        for ahead in (60, 3600, 1_000_000):
            yield (
                f"{name} {ahead} s ahead",
                mint.mint(now=now, **mint.claim(name, at + ahead)),
                "token_not_yet_valid",
            )
        for value in ("null", '"1"', "[1]", "true", "-1"):
            yield f"{name} {value}", _with_member(name, value, now), "claim_invalid"


def _issuers(now: float) -> Rows:
    for name, issuer in {
        "of another pool": mint.ISSUER[:-1] + "2",
        "of another region": mint.ISSUER.replace("eu-west-1", "eu-west-2"),
        "with a slash": mint.ISSUER + "/",
        "in another case": mint.ISSUER.upper(),
        "with a host behind": mint.ISSUER.replace("amazonaws.com", "amazonaws.com.evil.example"),
        "with user information": mint.ISSUER.replace("https://", "https://x@"),
        "over http": mint.ISSUER.replace("https", "http"),
        "with a space": mint.ISSUER + " ",
        "with a NUL": mint.ISSUER + "\0",
        "of someone else": "https://accounts.google.com",
        "shortened": mint.ISSUER[:-1],
    }.items():
        yield f"iss {name}", mint.mint(iss=issuer, now=now), "issuer_mismatch"
    for value in (json.dumps([mint.ISSUER]), "null", '""', "1", "{}"):
        yield f"iss {value}"[:12], _with_member("iss", value, now), "claim_invalid"
    yield "iss missing", mint.mint(iss=None, now=now), "claim_missing"


def _audiences(now: float) -> Rows:
    for use in ("id", "refresh", "Access", "access "):
        yield f"token_use {use}", mint.mint(token_use=use, now=now), "token_use_mismatch"
    yield "id token", mint.mint(mint.id_claims(now)), "token_use_mismatch"
    yield "token_use missing", mint.mint(token_use=None, now=now), "claim_missing"
    yield "client_id of another client", mint.mint(client_id="other", now=now), "client_mismatch"
    yield "client_id missing", mint.mint(client_id=None, now=now), "claim_missing"
    yield (
        "aud for client_id",
        mint.mint(client_id=None, aud=mint.CLIENT_ID, now=now),
        "claim_missing",
    )
    yield "aud of another client too", mint.mint(aud="other", now=now), "client_mismatch"
    yield (
        "client_id other, aud ours",
        mint.mint(client_id="other", aud=mint.CLIENT_ID, now=now),
        "client_mismatch",
    )
    for name, value in {
        "token_use": '["access"]',
        "client_id": json.dumps([mint.CLIENT_ID]),
    }.items():
        yield f"{name} as a list", _with_member(name, value, now), "claim_invalid"
    for value in (json.dumps([mint.CLIENT_ID]), "[]", "null", '""', "{}"):
        yield f"aud {value}", _with_member("aud", value, now), "claim_invalid"


def _subjects(now: float) -> Rows:
    yield "sub missing", mint.mint(sub=None, now=now), "claim_missing"
    for name in ("sub", "username"):
        for value in ('""', '" "', "1", "null", "true", '["a"]', "{}"):
            yield f"{name} {value}", _with_member(name, value, now), "claim_invalid"
        for character in ("\r", "\n", "\0", "\x0b", "\x0c", "\x1c", "\x1f", "\x7f", "\x85", "\x9f"):
            value = json.dumps(f"a{character}X-Cognito-Sub: admin")
            yield f"{name} with {character!r}", _with_member(name, value, now), "claim_invalid"
        yield (
            f"{name} of 5000 bytes",
            _with_member(name, '"%s"' % ("a" * 5000), now),
            "claim_invalid",
        )
        lone = (_MALFORMED, "claim_invalid")
        yield f"{name} with a lone surrogate", _with_member(name, r'"a\udc80"', now), lone


def _signatures(now: float) -> Rows:
    header, payload, signature = mint.mint(now=now).split(b".")
    content, good = header + b"." + payload, base64url.decode(signature)
    modulus = mint.private_key().public_key().public_numbers().n
    digest = (
        bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(content).digest()
    )
    for name, raw in {
        "zero": bytes(256),
        "one": (1).to_bytes(256, "big"),
        "of one byte": b"\1",
        "shortened": good[:-1],
        "with a leading zero": b"\0" + good,
        "with a trailing zero": good + b"\0",
        "negated": (modulus - int.from_bytes(good, "big")).to_bytes(256, "big"),
        "the modulus": modulus.to_bytes(256, "big"),
        "PKCS#1 encoding itself": b"\0\1" + b"\xff" * 202 + b"\0" + digest,
        "cube root (e = 3)": _cube_root(b"\0\1" + b"\xff" * 8 + b"\0" + digest),
        "of another payload": base64url.decode(mint.mint(now=now - 1).split(b".")[2]),
        "of 5 KB": bytes(5000),
    }.items():
        yield f"signature {name}", _join(content, raw), "signature_invalid"
    for bits in (1024, 2048):
        weak = rsa.generate_private_key(public_exponent=3, key_size=max(bits, 1024))
        token = mint.mint(header={**HEADER, "kid": f"weak{bits}"}, key=weak, now=now)
        yield f"signed by a key of {bits} bits with e = 3", token, "key_unknown"


def _heavy(now: float) -> Rows:
    """Make work: as much to parse as fits, and a signature that is wrong."""
    inside = json.dumps(mint.access_claims(now)).encode()[1:-1]
    for name, value in {
        "integers": b"[" + b"0," * 2500 + b"0]",
        "floats": b"[" + b"1.5," * 1200 + b"1]",
        "objects": b"[" + b"{}," * 1650 + b"{}]",
        "names": b"{" + b",".join(b'"%x":0' % number for number in range(600)) + b"}",
        "digits": b"0." + b"1" * 5000,
        "escapes": b'"' + rb"\u0041" * 830 + b'"',
    }.items():
        document = b"{" + inside + b', "x": ' + value + b"}"
        token = mint.mint(document, signature=bytes(256))
        yield f"as many {name} as fit", token, "signature_invalid"


def _cube_root(prefix: bytes) -> bytes:
    target = int.from_bytes(prefix.ljust(256, b"\xff"), "big")
    low, high = 0, 1 << 700
    while low < high - 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= target else (low, middle)
    return low.to_bytes(256, "big")


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _changed(parts: list[bytes], index: int, part: bytes) -> bytes:
    return b".".join([*parts[:index], part, *parts[index + 1 :]])


def _with_member(name: str, value: str, now: float) -> bytes:
    """Sign a payload in which one member is exactly this JSON."""
    rest = json.dumps(mint.access_claims(now, **{name: None})).encode()
    return mint.mint(rest[:-1] + b', "%b": %b}' % (name.encode(), value.encode()))


def _of_size(size: int, now: float) -> bytes:
    token = b""
    filler = 1
    while len(token) < size:
        token = mint.mint(now=now, filler="x" * filler, signature=b"x")
        filler += 1 + max(0, size - len(token)) * 3 // 4
    return token


def _signing_input(header: Mapping[str, object], claims: Mapping[str, Any]) -> bytes:
    return b".".join(base64url.encode(json.dumps(part).encode()) for part in (header, claims))


def _join(signing_input: bytes, signature: bytes) -> bytes:
    return signing_input + b"." + base64url.encode(signature)
