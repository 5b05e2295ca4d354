"""This file creates the pool as an operator would, with CloudFormation and the admin calls.

The template is the one for AWS, unchanged. Every step may be repeated: a second start finds the
pool, its accounts and what they signed up for where the first one left them.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from botocore.client import BaseClient
from botocore.exceptions import ClientError, WaiterError

from deploy.local.aws import connect

TEMPLATE = Path(__file__).parents[1] / "aws" / "user-pool.yaml"
STACK = "cruddur-users"
WAIT = {"Delay": 0.1, "MaxAttempts": 100}  # seconds between looks, looks: MiniStack takes 0.3 s


class StackError(Exception):
    """CloudFormation refused the template or failed half-way."""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """Someone who can sign in. `sub` is empty until the pool has named the account."""

    email: str
    password: str
    name: str
    preferred_username: str
    groups: tuple[str, ...] = ()
    sub: str = ""


@dataclass(frozen=True, slots=True)
class LocalPool:
    """A user pool on loopback. `issuer` is AWS's own; `jwks_url` is where its keys are here."""

    endpoint: str
    user_pool_id: str
    client_id: str
    issuer: str
    jwks_url: str
    users: tuple[DemoUser, ...]

    @property
    def messages_url(self) -> str:
        """Every e-mail Cognito would have sent, as JSON."""
        return f"{self.endpoint}/_ministack/ses/messages"


DEMO_USERS = (
    DemoUser("ada@example.com", "Analytical-1843", "Ada Lovelace", "ada", groups=("admin",)),
    DemoUser("grace@example.com", "Nanoseconds-1952", "Grace Hopper", "grace"),
)


def create_pool(endpoint: str, users: tuple[DemoUser, ...] = DEMO_USERS) -> LocalPool:
    """The pool of `deploy/aws/user-pool.yaml` with `users` confirmed in it; what exists is kept.

    Raises:
        StackError: The template cannot be deployed, or what an earlier start left is incomplete.
    """
    outputs = _deploy(connect("cloudformation", endpoint))
    pool_id = outputs["UserPoolId"]
    return LocalPool(
        endpoint=endpoint,
        user_pool_id=pool_id,
        client_id=outputs["UserPoolClientId"],
        issuer=outputs["Issuer"],
        jwks_url=f"{endpoint}/{pool_id}/.well-known/jwks.json",
        users=_seed_all(connect("cognito-idp", endpoint), pool_id, users),
    )


def create_short_lived_client(pool: LocalPool, access_token_s: int) -> str:
    """Another client of `pool` whose access tokens live `access_token_s` seconds. Gives its id.

    Not in the template: AWS refuses less than 300 s, MiniStack takes any number.
    """
    client = connect("cognito-idp", pool.endpoint).create_user_pool_client(
        UserPoolId=pool.user_pool_id,
        ClientName=f"{access_token_s} seconds",
        ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        AccessTokenValidity=access_token_s,
        TokenValidityUnits={"AccessToken": "seconds"},
    )
    client_id: str = client["UserPoolClient"]["ClientId"]
    return client_id


def _deploy(cloudformation: BaseClient) -> dict[str, str]:
    try:
        if _has_stack(cloudformation):
            _update_stack(cloudformation)
        else:
            cloudformation.create_stack(**_stack_request())
            _await(cloudformation, "stack_create_complete")
    except (ClientError, WaiterError) as error:
        raise StackError(f"{TEMPLATE.name} cannot be deployed: {error}") from error
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _await(cloudformation: BaseClient, state: str) -> None:
    cloudformation.get_waiter(state).wait(StackName=STACK, WaiterConfig=WAIT)


def _stack_request() -> dict[str, object]:
    deletable = {"ParameterKey": "DeletionProtection", "ParameterValue": "INACTIVE"}
    return {
        "StackName": STACK,
        "TemplateBody": TEMPLATE.read_text(encoding="utf-8"),
        "Parameters": [deletable],
    }


def _has_stack(cloudformation: BaseClient) -> bool:
    try:
        cloudformation.describe_stacks(StackName=STACK)
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def _update_stack(cloudformation: BaseClient) -> None:
    try:
        cloudformation.update_stack(**_stack_request())
    except ClientError as error:
        if "No updates are to be performed" in str(error):  # how CloudFormation says it is current
            return
        raise
    _await(cloudformation, "stack_update_complete")


def _seed_all(
    cognito: BaseClient, pool_id: str, users: tuple[DemoUser, ...]
) -> tuple[DemoUser, ...]:
    try:
        return tuple(_seed(cognito, pool_id, user) for user in users)
    except cognito.exceptions.ResourceNotFoundException as error:
        # MiniStack saves each service to a file of its own; killed in between, they disagree.
        raise StackError("the saved stack has lost its pool: delete the state folder") from error


def _seed(cognito: BaseClient, pool_id: str, user: DemoUser) -> DemoUser:
    account = {"UserPoolId": pool_id, "Username": user.email}
    with suppress(cognito.exceptions.UsernameExistsException):  # from an earlier start
        cognito.admin_create_user(
            **account, MessageAction="SUPPRESS", UserAttributes=_attributes(user)
        )
    cognito.admin_set_user_password(**account, Password=user.password, Permanent=True)
    for group in user.groups:
        cognito.admin_add_user_to_group(**account, GroupName=group)
    return replace(user, sub=cognito.admin_get_user(**account)["Username"])


def _attributes(user: DemoUser) -> list[dict[str, str]]:
    values = {
        "email": user.email,
        "email_verified": "true",
        "name": user.name,
        "preferred_username": user.preferred_username,
    }
    return [{"Name": name, "Value": value} for name, value in values.items()]
