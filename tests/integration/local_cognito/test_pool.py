import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.client import BaseClient

from deploy.local.aws import connect
from deploy.local.cognito import local_cognito
from deploy.local.emulator import EmulatorError
from deploy.local.loopback import free_port, is_taken
from deploy.local.parts import ROOT
from deploy.local.pool import LocalPool, StackError, create_pool
from deploy.local.sign_in import assert_tokens_are_signed, sign_in


def test_the_issuer_is_the_one_of_aws(pool: LocalPool) -> None:
    """Tokens name AWS as their issuer though their keys are on loopback."""
    assert pool.issuer == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.user_pool_id}"
    assert pool.jwks_url.startswith("http://127.0.0.1:")


def test_the_pool_is_what_the_template_says(pool: LocalPool, operator: BaseClient) -> None:
    """Sign-in, verification and recovery by e-mail; the default password rules; no MFA."""
    made = operator.describe_user_pool(UserPoolId=pool.user_pool_id)["UserPool"]
    required = {field["Name"] for field in made["SchemaAttributes"] if field["Required"]}
    assert required == {"sub", "name", "email", "preferred_username"}
    assert made["UsernameAttributes"] == made["AutoVerifiedAttributes"] == ["email"]
    recovery = made["AccountRecoverySetting"]["RecoveryMechanisms"]
    assert [mechanism["Name"] for mechanism in recovery] == ["verified_email"]
    assert made["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 8,
        "RequireUppercase": True,
        "RequireLowercase": True,
        "RequireNumbers": True,
        "RequireSymbols": True,
        "TemporaryPasswordValidityDays": 7,
    }
    assert made["MfaConfiguration"] == "OFF"
    assert made["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is False


def test_the_client_is_public_and_takes_no_plain_password(
    pool: LocalPool, operator: BaseClient
) -> None:
    """No secret, SRP and refresh only, revocation on, no hint who has an account."""
    account = {"UserPoolId": pool.user_pool_id, "ClientId": pool.client_id}
    client = operator.describe_user_pool_client(**account)["UserPoolClient"]
    assert "ClientSecret" not in client
    assert client["ExplicitAuthFlows"] == ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["EnableTokenRevocation"] is True
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert int(client["AccessTokenValidity"]) == 60  # MiniStack keeps a parameter as text
    assert client["TokenValidityUnits"]["AccessToken"] == "minutes"


def test_the_users_are_confirmed(pool: LocalPool, operator: BaseClient) -> None:
    """Two users, one of them in `admin`, both ready to sign in."""
    for user in pool.users:
        account = {"UserPoolId": pool.user_pool_id, "Username": user.email}
        made = operator.admin_get_user(**account)
        assert made["UserStatus"] == "CONFIRMED"
        assert made["Username"] == user.sub
        groups = operator.admin_list_groups_for_user(**account)["Groups"]
        assert tuple(group["GroupName"] for group in groups) == user.groups


def test_creating_the_pool_again_changes_nothing(pool: LocalPool) -> None:
    """A second deployment of the same template finds everything in place."""
    assert create_pool(pool.endpoint) == pool


def test_a_second_start_finds_the_same_accounts(tmp_path: Path) -> None:
    """Pool, client, keys and users survive a restart with the same state folder."""
    with local_cognito(state_dir=tmp_path) as first:
        token = sign_in(first).access_token
    with local_cognito(state_dir=tmp_path) as second:
        assert second.user_pool_id == first.user_pool_id
        assert second.client_id == first.client_id
        assert [user.sub for user in second.users] == [user.sub for user in first.users]
        assert sign_in(second).access_token.split(".")[0] == token.split(".")[0]


def test_a_stack_that_lost_its_pool_is_an_error() -> None:
    """What a kill in the middle of a save leaves is not taken for a working pool."""
    with local_cognito() as pool:
        connect("cognito-idp", pool.endpoint).delete_user_pool(UserPoolId=pool.user_pool_id)
        with pytest.raises(StackError, match="delete the state folder"):
            create_pool(pool.endpoint)


def test_a_template_that_cannot_be_deployed_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The template is named, and MiniStack does not run on without a pool."""
    template = tmp_path / "user-pool.yaml"
    template.write_text("Resources: {Pool: {Type: AWS::No::Such}}")
    monkeypatch.setattr("deploy.local.pool.TEMPLATE", template)
    port = free_port()
    refusal = pytest.raises(StackError, match=r"user-pool.yaml cannot be deployed")
    with refusal, local_cognito(port):
        pytest.fail("it started")
    assert not is_taken(port)


def test_tokens_signed_with_noise_are_noticed(pool: LocalPool, operator: BaseClient) -> None:
    """A signature that no published key explains ends the start, before any test can mislead."""
    other = operator.create_user_pool(PoolName="other")["UserPool"]["Id"]
    stranger = replace(pool, jwks_url=f"{pool.endpoint}/{other}/.well-known/jwks.json")
    with pytest.raises(EmulatorError, match="noise"):
        assert_tokens_are_signed(stranger)


def test_it_runs_by_hand_until_it_is_told_to_stop() -> None:
    """`python -m deploy.local.cognito` prints where things are and ends cleanly."""
    port = free_port()
    command = [sys.executable, "-m", "deploy.local.cognito", f"--port={port}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"keys http://127.0.0.1:{port}/us-east-1_" in process.stdout.readline()
        process.terminate()
    assert process.returncode == 0
    assert not is_taken(port)


def test_no_real_credential_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Profile, files and keys of the developer have no say in what the clients send."""
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-west-1\n")
    for name, value in {
        "AWS_CONFIG_FILE": str(config),
        "AWS_PROFILE": "no-such-profile",
        "AWS_ACCESS_KEY_ID": "real",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL": "https://cognito-idp.eu-west-1.amazonaws.com",
    }.items():
        monkeypatch.setitem(os.environ, name, value)
    client = connect("cognito-idp", "http://127.0.0.1:1")
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    assert client.meta.region_name == "us-east-1"
    credentials = client._request_signer._credentials  # noqa: SLF001 - no public way to see them
    assert (credentials.access_key, credentials.token) == ("test", None)
