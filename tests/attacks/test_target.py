"""Target and policy: the bytes forwarded are the bytes judged, and a public rule stays public only.

Two houses: one without rules about paths, where odd targets pass byte for byte, and one with rules.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.attack import BEARER, MARK, Carried, Refused, by_name, request
from tests.support.house import House, open_house, with_token
from tests.support.segments import WAYS
from tests.support.verdict import NOBODY, PROVEN, assert_carried, assert_identity, assert_refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """
[[routes]]
path = "/public/*"
mode = "strip"

[[routes]]
path = "/public"
mode = "strip"

[[routes]]
path = "/admin/*"
mode = "require"
groups = ["admin"]

[[routes]]
path = "/*"
mode = "require"
"""

OPEN_BY_DEFAULT = """
[[routes]]
path = "/admin/*"
mode = "require"
groups = ["admin"]

[[routes]]
path = "/secret"
mode = "require"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ruled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Two sidecars with rules: all but `/public` closed, and all but `/admin` open."""
    folder = tmp_path_factory.mktemp("rules")
    files = {"closed": RULES, "open": OPEN_BY_DEFAULT}
    variants = {}
    for name, text in files.items():
        path = folder / f"{name}.toml"
        path.write_text(text)
        variants[name] = {"config": str(path)}
    async with open_house(variants) as house:
        yield house


REFUSED = by_name(
    [
        *(
            Refused(f"absolute-form-{target!r}", request(target=target))
            for target in (
                b"http://evil.example/admin",
                b"http://site.example/" + MARK,
                b"HTTP://site.example/" + MARK,
                b"https://evil.example/admin",
                b"http://user@evil.example/admin",
                b"http://user:password@evil.example/admin",
                b"http://site.example@evil.example/",
                b"http://evil.example",
                b"http:///admin",
                b"http:/admin",
                b"http:admin",
                b"ftp://evil.example/admin",
                b"file:///etc/passwd",
                b"javascript:alert(1)",
                b"unix:/var/run/docker.sock",
                b"ws://evil.example/admin",
                b"http://[::1]/admin",
                b"http://127.0.0.1:4567/admin",
                b"gopher://evil.example/_GET",
            )
        ),
        *(
            Refused(f"not-origin-form-{target!r}", request(target=target))
            for target in (
                MARK,
                b"admin",
                b"?" + MARK,
                b"./admin",
                b"../admin",
                b"%2fadmin",
                b"\\admin",
                b"\\\\evil.example\\admin",
                b"@evil.example/admin",
                b":80/admin",
                b";/admin",
                b"evil.example",
                b"evil.example:80",
                b"**",
                b"*/admin",
            )
        ),
        *(
            Refused(f"fragment-{target!r}", request(target=target))
            for target in (
                b"/public#/../admin",
                b"/public#",
                b"/#" + MARK,
                b"/public?a=b#c",
                b"/public?a=#/admin",
                b"#",
                b"/##",
            )
        ),
        *(
            Refused(f"byte-{byte:#04x}-in-target", request(target=b"/%b%c/admin" % (MARK, byte)))
            for byte in (*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, 0x80, 0xA0, 0xE9, 0xFF)
        ),
        Refused("utf-8-in-target", request(target="/ädmin".encode())),
        Refused("byte-in-query", request(target=b"/" + MARK + b"?a=\x01")),
        Refused("utf-8-in-query", request(target=b"/?a=" + "ä".encode())),
        Refused("empty-target", b"GET  HTTP/1.1\r\nHost: site.example\r\n\r\n"),
        Refused("no-target", b"GET HTTP/1.1\r\nHost: site.example\r\n\r\n"),
    ]
)

HOSTS = by_name(
    [
        Refused("missing", request(host=None)),
        Refused("missing-on-http-1.0", request(host=None, version=b"HTTP/1.0")),
        Refused("twice", request(b"Host: site.example")),
        Refused("twice-other", request(b"Host: evil.example")),
        Refused("twice-other-case", request(b"HOST: evil.example")),
        Refused("twice-far-apart", request(b"X-A: b", b"X-B: c", b"host: evil.example")),
        Refused("second-empty", request(b"Host:")),
        *(
            Refused(f"{host!r}", request(host=host))
            for host in (
                b"",
                b" ",
                b"a/b?c=",
                b"a/b",
                b"a?b",
                b"a#b",
                b"a,b",
                b"a, b",
                b"a b",
                b"a\tb",
                b"user@site.example",
                b"user:password@site.example",
                b"http://site.example",
                b"//site.example",
                b"site.example:",
                b"site.example:http",
                b"site.example:-1",
                b"site.example:+80",
                b"site.example:65536",
                b"site.example:99999999999",
                b"site.example:80:80",
                b"site.example:80 ",
                b"site.example:8 0",
                b":80",
                b"[::1",
                b"::1]",
                b"::1",
                b"[]",
                b"[::1]x",
                b"[::1]:x",
                b"[gggg::1]",
                b"a\\b",
                b"a<b>",
                b'a"b',
                b"a'b",
                b"a%00b",
                b"a%2fb",
                b"a;b",
                b"a\x7fb",
                b"a\x01b",
                b"\xc3\xa4.example",
                b"a\xa0b",
                b"a" * 300,
                b"{{7*7}}",
                b"a|b",
                b"a^b",
                b"a`b",
            )
            if host != b"site.example:80 "
        ),
        Refused("on-a-folded-line", request(b"Host:\r\n site.example", host=None)),
        Refused("with-space-before-colon", request(b"Host : site.example", host=None)),
        Refused("underscore-twin", request(b"Ho_st: site.example", host=None)),
    ]
)

ODD_BUT_CLEAR = by_name(
    Carried(f"{target!r}", request(target=target), target=target)
    for target in (
        b"/?a=b;c=d",
        b"/?",
        b"/??",
        b"/?a?b",
        b"/?%",
        b"/?%zz",
        b"/?a=%00",
        b"/?a=%0d%0aX-Cognito-Sub:%20forged",
        b"/?a=b&a=c&&=&",
        b"/?a=[]{}|\\^`\"<>'",
        b"/?http://evil.example/",
        b"/?a=+%20",
        b"/?/../admin",
        b"/a?b=%2e%2e/",
        # Without rules about paths there is nothing to get round; the bytes pass as they are.
        b"//admin",
        b"//evil.example/admin",
        b"///",
        b"/./a",
        b"/../a",
        b"/a/..",
        b"/%2e%2e/a",
        b"/%2E%2e/a",
        b"/a%2fb",
        b"/a%5cb",
        b"/a\\b",
        b"/a;x=1/b",
        b"/%61dmin",
        b"/a%00b",
        b"/%zz",
        b"/%",
        b"/%252e%252e/",
        b"/a.",
        b"/a./b",
        b"/%c0%ae%c0%ae/",
        b"/caf%C3%A9",
        b"/a:b@c",
        b"/*",
        b"/" + b"a" * 4000,
    )
)

GOOD_HOSTS = (
    b"site.example",
    b"SITE.example",
    b"site.example:80",
    b"site.example:65535",
    b"site.example.",
    b"127.0.0.1",
    b"127.0.0.1:8080",
    b"[::1]",
    b"[::1]:8080",
    b"[2001:db8::1]",
    b"a-b_c.example",
    b"xn--4ca.example",
    b"localhost",
    b"1",
)

# Ways to write /admin, or /public/../admin, that some server or other understands.
DISGUISES = (
    b"//admin/x",
    b"///admin/x",
    b"/./admin/x",
    b"/.//admin/x",
    b"/x/../admin/x",
    b"/public/../admin/x",
    b"/public/./../admin/x",
    b"/public//../admin/x",
    b"/public/..",
    b"/public/.",
    b"/public/x/../../admin/x",
    b"/public/%2e%2e/admin/x",
    b"/public/%2E%2E/admin/x",
    b"/public/.%2e/admin/x",
    b"/public/%2e./admin/x",
    b"/public/..%2fadmin/x",
    b"/public/..%2Fadmin/x",
    b"/public%2f..%2fadmin/x",
    b"/public/%2e%2e%2fadmin/x",
    b"/public/..%5cadmin/x",
    b"/public/..\\admin/x",
    b"/public\\..\\admin/x",
    b"/public/..;/admin/x",
    b"/public/..;x=1/admin/x",
    b"/public;/../admin/x",
    b"/public/;/../admin/x",
    b"/public/%252e%252e/admin/x",
    b"/public/%25%32%65%25%32%65/admin/x",
    b"/public/%c0%ae%c0%ae/admin/x",
    b"/public/%e0%80%ae%e0%80%ae/admin/x",
    b"/public/%uff0e%uff0e/admin/x",
    b"/public/.%00./admin/x",
    b"/public/..%00/admin/x",
    b"/public/..%0d%0a/admin/x",
    b"/public/..%09/admin/x",
    b"/public/..%20/admin/x",
    b"/public/.. /admin/x".replace(b" ", b"%20"),
    b"/public/.../admin/x",
    b"/public/..%23/admin/x",
    b"/public/..%3f/admin/x",
    b"/public/..?/admin/x",
    b"/%61dmin/x",
    b"/%61%64%6d%69%6e/x",
    b"/adm%69n/x",
    b"/ad%6Din/x",
    b"/%2561dmin/x",
    b"/admin%2fx",
    b"/admin%2Fx",
    b"/admin%5cx",
    b"/admin\\x",
    b"/admin;/x",
    b"/admin;x=1/x",
    b"/admin%3b/x",
    b"/admin./x",
    b"/admin%2e/x",
    b"/admin%20/x",
    b"/admin%00/x",
    b"/admin%0a/x",
    b"/admin//x",
    b"/admin/./x",
    b"/admin/%2e/x",
    b"/%zz/admin/x",
    b"/public/%",
    b"/public/%4",
    b"/public/%zz",
    b"/public/%00",
    b"/public/%ff",
    b"/public/%2f",
    b"/public/%5C..%5Cadmin/x",
    b"/PUBLIC/../admin/x",
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", REFUSED)
async def test_target_that_is_no_plain_path_is_refused(house: House, name: str, way: str) -> None:
    """Absolute forms, fragments and bytes that no target has: 400, whatever stands in them."""
    attack = REFUSED[name]
    await assert_refused(house, "strip", attack, WAYS[way](attack.request))


@pytest.mark.parametrize("name", REFUSED)
async def test_target_that_is_no_plain_path_is_refused_with_a_token_too(
    house: House, name: str
) -> None:
    """A good token makes a bad target no better."""
    attack = REFUSED[name]
    raw = attack.request.replace(b"\r\n\r\n", b"\r\n" + BEARER + b"\r\n\r\n", 1)
    await assert_refused(house, "require", attack, [[with_token(house, raw)]])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", HOSTS)
async def test_host_that_is_not_one_host_is_refused(house: House, name: str, way: str) -> None:
    """No `Host`, two, or one with anything but a name and a port: 400."""
    attack = HOSTS[name]
    await assert_refused(house, "strip", attack, WAYS[way](attack.request))


@pytest.mark.parametrize("host", GOOD_HOSTS)
async def test_host_that_is_one_host_arrives_as_it_was(house: House, host: bytes) -> None:
    """The backend sees the client's own `Host`."""
    attack = Carried("host", request(host=host), has=((b"Host", host), (b"X-Forwarded-Host", host)))
    await assert_carried(house, "strip", attack, [[attack.request]], NOBODY)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ODD_BUT_CLEAR)
async def test_odd_target_without_rules_passes_byte_for_byte(
    house: House, name: str, way: str
) -> None:
    """Nothing is normalised: the backend sees the client's own bytes."""
    attack = ODD_BUT_CLEAR[name]
    await assert_carried(house, "strip", attack, WAYS[way](attack.request), NOBODY)


@pytest.mark.parametrize("target", DISGUISES)
async def test_disguised_path_never_gets_what_a_public_rule_gives(
    ruled: House, target: bytes
) -> None:
    """Without a token no spelling of a closed path reaches the backend."""
    outcome = await ruled.send("closed", [request(target=target)], count=1)
    assert outcome.answers[0].status in (400, 401)
    assert outcome.seen == []


@pytest.mark.parametrize("target", DISGUISES)
async def test_disguised_path_never_escapes_a_strict_rule(ruled: House, target: bytes) -> None:
    """Where only `/admin` is closed, no spelling of it gets the open default."""
    outcome = await ruled.send("open", [request(target=target)], count=1)
    answer = outcome.answers[0]
    if answer.status == 200:
        # Only what can be read in one way passes, and that way is not /admin.
        (seen,) = outcome.seen
        assert seen.target == target
        path = target.partition(b"?")[0]
        assert path == b"/public/.../admin/x"
    else:
        assert answer.status in (400, 401)
        assert outcome.seen == []


@pytest.mark.parametrize("target", DISGUISES)
async def test_disguised_path_gives_no_right_to_a_caller_without_the_group(
    ruled: House, target: bytes
) -> None:
    """A good token that lacks the group gets 403 or 400 under any spelling of `/admin`."""
    raw = with_token(ruled, request(BEARER, target=target))
    outcome = await ruled.send("open", [raw], count=1)
    if outcome.answers[0].status == 200:
        assert target == b"/public/.../admin/x"
        assert_identity(outcome.seen[0], PROVEN)
    else:
        assert outcome.answers[0].status in (400, 403)
        assert outcome.seen == []


@pytest.mark.parametrize("target", [b"/public", b"/public/", b"/public/a/b", b"/public/a?x=/../y"])
async def test_public_path_in_its_plain_spelling_is_public(ruled: House, target: bytes) -> None:
    """The rule works: the tests above are not passed by refusing all."""
    attack = Carried("public", request(target=target), target=target)
    outcome = await ruled.send("closed", [attack.request], count=1)
    assert [answer.status for answer in outcome.answers] == [200]
    assert [seen.target for seen in outcome.seen] == [target]


@pytest.mark.parametrize("target", [b"/publicx", b"/publi", b"/Public/a", b"/public.", b"/"])
async def test_neighbour_of_a_public_path_is_not_public(ruled: House, target: bytes) -> None:
    """A prefix ends at a slash, and case counts."""
    outcome = await ruled.send("closed", [request(target=target)], count=1)
    assert outcome.answers[0].status in (400, 401)
    assert outcome.seen == []


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE"])
async def test_method_does_not_open_a_closed_path(ruled: House, method: bytes) -> None:
    """HEAD and the rest are judged as GET is where the rule names no methods."""
    raw = request(b"X-HTTP-Method-Override: GET", method=method, target=b"/secret")
    outcome = await ruled.send("open", [raw], count=1, is_head=method == b"HEAD")
    assert outcome.answers[0].status == 401
    assert outcome.seen == []


async def test_target_at_the_limit_passes_and_beyond_is_414(house: House) -> None:
    """8 KiB are carried byte for byte; one more is refused as too long."""
    longest = b"/" + b"a" * (8 * 1024 - 1)
    attack = Carried("longest", request(target=longest), target=longest)
    await assert_carried(house, "strip", attack, [[attack.request]], NOBODY)
    for extra in (1, 100, 9 * 1024, 60 * 1024):
        longer = request(target=longest + b"a" * extra)
        refused = Refused("longer", longer, statuses=(414,), reasons=("too_large",))
        await assert_refused(house, "strip", refused, [[longer]])
