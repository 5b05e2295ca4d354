import base64
import json
import re
from dataclasses import replace

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from jose import jwk

from deploy.local.loopback import fetch_json
from deploy.local.pool import DemoUser, LocalPool, create_short_lived_client
from deploy.local.sign_in import Tokens, emailed_code, sign_in


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def header_of(token: str) -> dict[str, str]:
    header: dict[str, str] = json.loads(decoded(token.split(".", maxsplit=1)[0]))
    return header


def claims_of(token: str) -> dict[str, object]:
    claims: dict[str, object] = json.loads(decoded(token.split(".")[1]))
    return claims


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_a_token_is_signed_by_a_published_key(pool: LocalPool, tokens: Tokens, kind: str) -> None:
    """RS256, a `kid` of the key set, and a signature that holds with that key alone."""
    token: str = getattr(tokens, kind)
    assert header_of(token)["alg"] == "RS256"
    keys = {key["kid"]: jwk.construct(key) for key in fetch_json(pool.jwks_url)["keys"]}
    signing_input, _, signature = token.rpartition(".")
    assert {
        kid: key.verify(signing_input.encode(), decoded(signature)) for kid, key in keys.items()
    } == {kid: kid == header_of(token)["kid"] for kid in keys}


def test_an_access_token_has_the_claims_of_aws(pool: LocalPool, tokens: Tokens) -> None:
    """The claims the sidecar checks and the ones it hands on."""
    claims = claims_of(tokens.access_token)
    ada = pool.users[0]
    expected = {
        "iss": pool.issuer,
        "token_use": "access",
        "client_id": pool.client_id,
        "sub": ada.sub,
        "username": ada.sub,
        "cognito:groups": ["admin"],
        "scope": "aws.cognito.signin.user.admin",
    }
    assert {name: claims[name] for name in expected} == expected
    assert {"jti", "origin_jti", "auth_time", "iat", "exp"} <= claims.keys()
    assert "aud" not in claims
    assert tokens.expires_in_s == 3600


def test_an_id_token_has_the_claims_of_aws(pool: LocalPool, tokens: Tokens) -> None:
    """`aud` instead of `client_id`, `cognito:username` instead of `username`, and the profile."""
    claims = claims_of(tokens.id_token)
    ada = pool.users[0]
    expected = {
        "iss": pool.issuer,
        "token_use": "id",
        "aud": pool.client_id,
        "sub": ada.sub,
        "cognito:username": ada.sub,
        "email": ada.email,
        "email_verified": True,
        "name": ada.name,
        "preferred_username": ada.preferred_username,
    }
    assert {name: claims[name] for name in expected} == expected
    assert "client_id" not in claims


def test_a_user_without_groups_has_no_groups_claim(pool: LocalPool) -> None:
    """Absent, not an empty list."""
    assert "cognito:groups" not in claims_of(sign_in(pool, pool.users[1]).access_token)


def test_a_wrong_password_is_refused(pool: LocalPool) -> None:
    """SRP is really verified; this is why the stand-in is what it is."""
    with pytest.raises(ClientError, match="Incorrect username or password"):
        sign_in(pool, replace(pool.users[0], password="Analytical-1844"))


def test_an_unknown_user_looks_like_a_wrong_password(pool: LocalPool) -> None:
    """Nobody learns who has an account."""
    with pytest.raises(ClientError, match="Incorrect username or password"):
        sign_in(pool, replace(pool.users[0], email="nobody@example.com"))


def test_a_plain_password_is_not_accepted(pool: LocalPool, browser: BaseClient) -> None:
    """Only SRP: the password itself is never sent."""
    ada = pool.users[0]
    with pytest.raises(browser.exceptions.InvalidParameterException):
        browser.initiate_auth(
            ClientId=pool.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": ada.email, "PASSWORD": ada.password},
        )


def test_a_token_may_live_ten_seconds(pool: LocalPool) -> None:
    """A second client gives tokens short enough to watch them expire."""
    client_id = create_short_lived_client(pool, access_token_s=10)
    tokens = sign_in(pool, client_id=client_id)
    claims = claims_of(tokens.access_token)
    assert isinstance(claims["exp"], int)
    assert isinstance(claims["iat"], int)
    assert claims["exp"] - claims["iat"] == tokens.expires_in_s == 10
    assert claims["client_id"] == client_id


def test_a_refresh_token_gives_a_new_access_token(pool: LocalPool, browser: BaseClient) -> None:
    """What the browser does when an access token is about to expire."""
    result = refresh(pool, browser, sign_in(pool).refresh_token)
    assert claims_of(result["AccessToken"])["sub"] == pool.users[0].sub


def refresh(pool: LocalPool, browser: BaseClient, refresh_token: str) -> dict[str, str]:
    answer = browser.initiate_auth(
        ClientId=pool.client_id,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": refresh_token},
    )
    result: dict[str, str] = answer["AuthenticationResult"]
    return result


def test_global_sign_out_ends_a_session(pool: LocalPool, browser: BaseClient) -> None:
    """Afterwards neither token of that session is accepted by Cognito."""
    tokens = sign_in(pool, pool.users[1])
    assert browser.get_user(AccessToken=tokens.access_token)["Username"] == pool.users[1].sub
    browser.global_sign_out(AccessToken=tokens.access_token)
    with pytest.raises(browser.exceptions.NotAuthorizedException):
        browser.get_user(AccessToken=tokens.access_token)
    with pytest.raises(browser.exceptions.NotAuthorizedException):
        refresh(pool, browser, tokens.refresh_token)


def test_a_revoked_refresh_token_ends_its_access_token(
    pool: LocalPool, browser: BaseClient
) -> None:
    """RevokeToken takes the access tokens of the same sign-in with it."""
    tokens = sign_in(pool)
    browser.revoke_token(Token=tokens.refresh_token, ClientId=pool.client_id)
    with pytest.raises(browser.exceptions.NotAuthorizedException):
        browser.get_user(AccessToken=tokens.access_token)


def sign_up(pool: LocalPool, browser: BaseClient, user: DemoUser) -> None:
    profile = {
        "email": user.email,
        "name": user.name,
        "preferred_username": user.preferred_username,
    }
    browser.sign_up(
        ClientId=pool.client_id,
        Username=user.email,
        Password=user.password,
        UserAttributes=[{"Name": name, "Value": value} for name, value in profile.items()],
    )


def test_a_sign_up_is_confirmed_by_the_code_in_the_e_mail(
    pool: LocalPool, browser: BaseClient
) -> None:
    """The Cruddur story: sign up, read the e-mail, confirm, sign in by e-mail."""
    user = DemoUser("mary@example.com", "Mechanics-1831", "Mary Somerville", "mary")
    sign_up(pool, browser, user)
    with pytest.raises(ClientError, match="UserNotConfirmedException"):
        sign_in(pool, user)
    account = {"ClientId": pool.client_id, "Username": user.email}
    with pytest.raises(browser.exceptions.CodeMismatchException):
        browser.confirm_sign_up(**account, ConfirmationCode="000000")
    browser.confirm_sign_up(**account, ConfirmationCode=emailed_code(pool, user.email))
    assert claims_of(sign_in(pool, user).id_token)["preferred_username"] == "mary"


def test_a_forgotten_password_is_replaced_by_the_code_in_the_e_mail(
    pool: LocalPool, browser: BaseClient
) -> None:
    """Recovery by e-mail; the old password is refused afterwards."""
    user = DemoUser("emmy@example.com", "Symmetry-1918", "Emmy Noether", "emmy")
    sign_up(pool, browser, user)
    account = {"ClientId": pool.client_id, "Username": user.email}
    browser.confirm_sign_up(**account, ConfirmationCode=emailed_code(pool, user.email))
    browser.forgot_password(**account)
    code = emailed_code(pool, user.email)
    browser.confirm_forgot_password(**account, ConfirmationCode=code, Password="Invariant-1918")
    with pytest.raises(ClientError, match="Incorrect username or password"):
        sign_in(pool, user)
    assert sign_in(pool, replace(user, password="Invariant-1918")).access_token


def test_a_weak_password_is_refused(pool: LocalPool, browser: BaseClient) -> None:
    """The default rules: eight characters, upper, lower, digit, symbol."""
    for weak in ("Short-1", "lower-case-1", "UPPER-CASE-1", "No-Digits-Here", "NoSymbols123"):
        with pytest.raises(browser.exceptions.InvalidPasswordException):
            sign_up(pool, browser, DemoUser("weak@example.com", weak, "Weak", "weak"))


def test_a_code_nobody_sent_is_not_found(pool: LocalPool) -> None:
    """The mailbox of another user is not searched."""
    with pytest.raises(LookupError, match=re.escape("nobody@example.com")):
        emailed_code(pool, "nobody@example.com")
