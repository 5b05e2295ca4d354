"""This file makes AWS clients for the stand-in. No real credential is read, none could be sent.

A developer's profile, configuration files, credentials and proxies are switched off one by one: a
demo must neither depend on them nor reach the account behind them.
"""

import os

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.client import BaseClient
from botocore.config import Config

REGION = "us-east-1"
DUMMY = "test"  # the root key MiniStack accepts, and nobody else
# Where botocore looks for each: configuration file, environment variable, default, conversion.
NOBODY = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
LOOPBACK = Config(
    proxies={},
    connect_timeout=2,  # seconds; on loopback the answer or the refusal is immediate
    read_timeout=10,
    retries={"max_attempts": 0},  # a stand-in that went away does not come back by waiting
)


def connect(service: str, endpoint: str) -> BaseClient:
    """A client with an operator's rights, such as `admin_create_user`."""
    return _session().client(service, endpoint_url=endpoint, config=LOOPBACK)


def connect_anonymously(endpoint: str) -> BaseClient:
    """A Cognito client without credentials: what a browser can do, and nothing more."""
    config = LOOPBACK.merge(Config(signature_version=UNSIGNED))
    return _session().client("cognito-idp", endpoint_url=endpoint, config=config)


def _session() -> boto3.Session:
    core = botocore.session.Session(session_vars=NOBODY)
    return boto3.Session(
        aws_access_key_id=DUMMY,
        aws_secret_access_key=DUMMY,
        region_name=REGION,
        botocore_session=core,
    )
