"""Every setting: its default, its sources, and what is said when it is wrong."""

from pathlib import Path

import pytest

from sidecar.config import Settings, environment_name, load
from sidecar.errors import SettingsInvalid
from sidecar.model import Address
from tests.support.settings import POOL, REQUIRED


def settings(toml: str = "", tmp_path: Path | None = None, **environment: str) -> Settings:
    """Load settings from an environment and, if given, a file."""
    given = {**REQUIRED, **environment}
    if tmp_path is not None:
        file = tmp_path / "sidecar.toml"
        file.write_text(toml, encoding="utf-8")
        given["SIDECAR_CONFIG"] = str(file)
    return load({}, given)


def problems(environment: dict[str, str]) -> list[str]:
    """Load settings that cannot be used, and return what was said about them."""
    with pytest.raises(SettingsInvalid) as caught:
        load({}, environment)
    return caught.value.problems


def test_required_settings_alone_are_enough() -> None:
    """A pool and a client are all that must be set."""
    chosen = settings()
    assert chosen.user_pool_id == (POOL,)
    assert chosen.user_pool_client_id == ("client-1",)
    assert chosen.upstream == Address("127.0.0.1", 4567)
    assert chosen.listen == Address("0.0.0.0", 8080)  # noqa: S104 - the documented default
    assert chosen.admin_listen == Address("127.0.0.1", 8081)
    assert (chosen.mode, chosen.token_use) == ("strip", ("access",))
    assert chosen.headers == {"X-Cognito-Sub": "sub", "X-Cognito-Username": "username"}


def test_missing_settings_are_all_named_at_once() -> None:
    """A start without settings says everything that is missing."""
    said = problems({"SIDECAR_MOED": "strip", "SIDECAR_LISTEN": "nowhere"})
    assert [line.partition(":")[0] for line in said] == [
        "SIDECAR_MOED",
        "AWS_COGNITO_USER_POOL_ID",
        "AWS_COGNITO_USER_POOL_CLIENT_ID",
        "SIDECAR_LISTEN",
    ]
    assert said[0] == "SIDECAR_MOED: no such setting; did you mean SIDECAR_MODE?"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_COGNITO_USER_POOL_ID", "../../x"),
        ("AWS_COGNITO_USER_POOL_ID", "eu-west-1_a/../b"),
        ("AWS_COGNITO_USER_POOL_ID", "evil@eu-west-1_a"),
        ("AWS_COGNITO_USER_POOL_ID", f"{POOL},{POOL}"),
        ("AWS_COGNITO_USER_POOL_ID", ","),
        ("AWS_COGNITO_USER_POOL_CLIENT_ID", ","),
        ("AWS_COGNITO_USER_POOL_CLIENT_ID", "*,client"),
        ("SIDECAR_UPSTREAM", "https://127.0.0.1:4567"),
        ("SIDECAR_UPSTREAM", "127.0.0.1:4567"),
        ("SIDECAR_UPSTREAM", "http://127.0.0.1:4567/path"),
        ("SIDECAR_UPSTREAM", "unix:relative.sock"),
        ("SIDECAR_LISTEN", "8080"),
        ("SIDECAR_LISTEN", "0.0.0.0:99999"),
        ("SIDECAR_LISTEN", "user@host:80"),
        ("SIDECAR_MODE", "Strip"),
        ("SIDECAR_TOKEN_USE", "refresh"),
        ("SIDECAR_TOKEN_USE", ","),
        ("SIDECAR_JWKS_URL", "http://keys.example/jwks.json"),
        ("SIDECAR_JWKS_URL", "https://user:pw@keys.example/"),
        ("SIDECAR_JWKS_URL", "file:///etc/passwd"),
        ("SIDECAR_CORS_ORIGINS", "https://app.example/"),
        ("SIDECAR_CORS_ORIGINS", "*"),
        ("SIDECAR_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("SIDECAR_WORKERS", "0"),
        ("SIDECAR_WORKERS", "-1"),
        ("SIDECAR_WORKERS", "65"),
        ("SIDECAR_WORKERS", "1000"),
        ("SIDECAR_WORKERS", "2.0"),
        ("SIDECAR_WORKERS", "many"),
        ("SIDECAR_CONFIG", "/nonexistent/sidecar.toml"),
    ],
)
def test_bad_value_is_refused_by_name(name: str, value: str) -> None:
    """A value that cannot be used is a problem that begins with the setting's name."""
    said = problems({**REQUIRED, name: value})
    assert any(line.startswith(f"{name}: ") for line in said), said


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://127.0.0.1:4567", Address("127.0.0.1", 4567)),
        ("http://backend:80/", Address("backend", 80)),
        ("http://backend", Address("backend", 80)),
        ("http://[::1]:4567", Address("::1", 4567)),
        ("http://[::1]", Address("::1", 80)),
        ("unix:/run/app.sock", Address(path="/run/app.sock")),
    ],
)
def test_upstream_is_read_in_every_form(text: str, address: Address) -> None:
    """A backend may be a URL, with or without a port, or a Unix socket."""
    assert settings(SIDECAR_UPSTREAM=text).upstream == address


def test_lists_are_split_at_commas() -> None:
    """White space around the commas does not count."""
    chosen = settings(
        AWS_COGNITO_USER_POOL_CLIENT_ID="a, b ,c",
        SIDECAR_TOKEN_USE="id,access",
        SIDECAR_CORS_ORIGINS="https://a.example, http://localhost:3000",
    )
    assert chosen.user_pool_client_id == ("a", "b", "c")
    assert chosen.token_use == ("id", "access")
    assert chosen.cors_origins == ("https://a.example", "http://localhost:3000")


def test_command_line_beats_environment_beats_file(tmp_path: Path) -> None:
    """The nearest source wins."""
    file = tmp_path / "sidecar.toml"
    file.write_text('mode = "require"\nlisten = "127.0.0.1:1"\nadmin_listen = "127.0.0.1:2"\n')
    environment = {
        **REQUIRED,
        "SIDECAR_CONFIG": str(file),
        "SIDECAR_LISTEN": "127.0.0.1:3",
        "SIDECAR_ADMIN_LISTEN": "127.0.0.1:4",
    }
    chosen = load({"admin_listen": "127.0.0.1:5"}, environment)
    assert chosen.mode == "require"
    assert chosen.listen.port == 3
    assert chosen.admin_listen.port == 5


def test_empty_variable_counts_as_not_set() -> None:
    """Compose files pass unset variables on as empty ones."""
    assert settings(SIDECAR_MODE="").mode == "strip"


def test_file_holds_what_no_variable_can(tmp_path: Path) -> None:
    """Routes, header mapping and timeouts come from the file."""
    chosen = settings(
        """
        forward_token = false
        [[routes]]
        path = "/api/admin/*"
        methods = ["GET", "POST"]
        mode = "require"
        groups = ["admin"]
        [headers]
        X-User = "sub"
        """,
        tmp_path,
    )
    assert chosen.routes[0].path == "/api/admin/*"
    assert chosen.routes[0].groups == ("admin",)
    assert chosen.headers == {"X-User": "sub"}
    assert chosen.forward_token is False


@pytest.mark.parametrize(
    "toml",
    [
        'modus = "strip"',
        'config = "other.toml"',
        '[[routes]]\npath = "api"\nmode = "strip"',
        '[[routes]]\npath = "/a*b"\nmode = "strip"',
        '[[routes]]\npath = "/a"\nmode = "strip"\ngroups = ["admin"]',
        '[[routes]]\npath = "/a"\nmode = "strip"\nmethod = "GET"',
        '[headers]\nX_User = "sub"',
        '[headers]\n"X User" = "sub"',
        "[headers]\n",
        "[timeouts]\nhead_s = 0",
        "not toml at all",
    ],
)
def test_bad_file_is_refused(toml: str, tmp_path: Path) -> None:
    """A misspelt name or an impossible value in the file stops the start."""
    with pytest.raises(SettingsInvalid):
        settings(toml, tmp_path)


def test_http_keys_from_elsewhere_need_the_insecure_switch() -> None:
    """Keys over plain http from another host are refused unless someone says so."""
    url = "http://keys.example/jwks.json"
    assert settings(SIDECAR_JWKS_URL=url, SIDECAR_INSECURE_JWKS="1").jwks_url == url
    assert settings(SIDECAR_JWKS_URL="http://127.0.0.1:4566/x").jwks_url is not None
    assert settings(SIDECAR_JWKS_URL="http://localhost:4566/x").jwks_url is not None


def test_issuer_with_several_pools_is_refused() -> None:
    """One issuer for two pools would let one pool's keys sign for the other."""
    said = problems(
        {
            **REQUIRED,
            "AWS_COGNITO_USER_POOL_ID": f"{POOL},us-east-1_Other",
            "SIDECAR_ISSUER": "https://issuer.example",
        }
    )
    assert said[0].startswith("SIDECAR_ISSUER: ")


def test_environment_names_follow_one_rule() -> None:
    """Every setting is `SIDECAR_` and its name, but for the two that AWS's tools share."""
    own = {"user_pool_id", "user_pool_client_id"}
    names = {name: environment_name(name) for name in Settings.model_fields}
    assert all(names[n] == f"SIDECAR_{n.upper()}" for n in names if n not in own)
    assert {names[n] for n in own} == set(REQUIRED)


def test_several_pools_have_clients_and_token_uses_of_their_own(tmp_path: Path) -> None:
    """A table per pool says what its tokens must be; what it leaves out is as for all."""
    file = tmp_path / "sidecar.toml"
    file.write_text(
        f"""
        token_use = "access"
        [[pools]]
        id = "{POOL}"
        client_ids = ["a", "b"]
        [[pools]]
        id = "us-east-1_Partners1"
        client_ids = "*"
        token_use = ["access", "id"]
        """
    )
    first, second = load({"config": str(file)}, {}).all_pools
    assert (first.id, first.client_ids, first.token_use) == (POOL, ("a", "b"), ("access",))
    assert (second.client_ids, second.token_use) == (("*",), ("access", "id"))
    assert first.issuers.isdisjoint(second.issuers)


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        (f'[[pools]]\nid = "{POOL}"\nclient_ids = []', "pools.0.client_ids"),
        ('[[pools]]\nid = "a/b"\nclient_ids = "*"', "pools.0.id"),
        (f'[[pools]]\nid = "{POOL}"\nclient_ids = "*"\njwks_url = "http://x.example/"', "pools"),
        (f'[[pools]]\nid = "{POOL}"\nclient_ids = "*"\n' * 2, "pools.issuer"),
        (f'user_pool_id = "{POOL}"\n[[pools]]\nid = "{POOL}"\nclient_ids = "*"', "AWS_COGNITO"),
    ],
)
def test_bad_pool_table_is_refused_by_name(toml: str, name: str, tmp_path: Path) -> None:
    """A pool without clients, given twice or in two ways stops the start."""
    file = tmp_path / "sidecar.toml"
    file.write_text(toml)
    said = problems({"SIDECAR_CONFIG": str(file)})
    assert said[0].startswith(name), said


@pytest.mark.parametrize("path", ["api", "/a*b", "/a//b", "/a/../b", "/%61", "/a?b", "/a/;x", ""])
def test_rule_for_a_path_that_never_comes_is_refused(path: str, tmp_path: Path) -> None:
    """A rule that cannot match is a mistake, and the message says what a path looks like."""
    with pytest.raises(SettingsInvalid) as caught:
        settings(f'[[routes]]\npath = "{path}"\nmode = "strip"', tmp_path)
    assert "/api/orders" in caught.value.problems[0]


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "X-Forwarded-For", "X-Cognito-Auth", "Authorization"]
)
def test_header_that_is_not_the_mappings_to_give_is_refused(name: str, tmp_path: Path) -> None:
    """No claim may frame a message or stand for a field that the sidecar makes itself."""
    with pytest.raises(SettingsInvalid) as caught:
        settings(f'[headers]\n{name} = "sub"', tmp_path)
    assert name in caught.value.problems[0]


def test_header_mapped_twice_is_refused(tmp_path: Path) -> None:
    """Names that differ by case are one name to HTTP."""
    with pytest.raises(SettingsInvalid):
        settings('[headers]\nX-User = "sub"\nx-user = "username"', tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SIDECAR_LOG_FORMAT", "xml"), ("SIDECAR_LOG_SAMPLE", "2"), ("SIDECAR_VERIFY_LISTEN", "x")],
)
def test_bad_operation_setting_is_refused(name: str, value: str) -> None:
    """Each is named in what is said."""
    assert problems({**REQUIRED, name: value})[0].startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("value", "workers"), [("1", 1), ("64", 64), ("auto", "auto"), ("02", 2), ("", 1)]
)
def test_workers_are_a_number_or_auto(value: str, workers: int | str) -> None:
    """A number, or the word for as many as there are cores."""
    assert settings(SIDECAR_WORKERS=value).workers == workers


@pytest.mark.parametrize(("toml", "workers"), [("workers = 2", 2), ('workers = "auto"', "auto")])
def test_workers_in_the_file_are_a_number_or_auto(
    tmp_path: Path, toml: str, workers: int | str
) -> None:
    """The file has numbers of its own."""
    assert settings(toml, tmp_path).workers == workers


@pytest.mark.parametrize("toml", ["workers = true", "workers = 2.0", "workers = [2]"])
def test_other_values_for_workers_in_the_file_are_one_problem(tmp_path: Path, toml: str) -> None:
    """It is said once what is expected."""
    with pytest.raises(SettingsInvalid) as caught:
        settings(toml, tmp_path)
    assert caught.value.problems == ["SIDECAR_WORKERS: expected a number from 1 to 64, or auto"]
