"""The main story against running containers: `story.py demo.json SIDECAR_URL [FRONTEND_URL]`.

Prints a line for each fact; ends with 1 at the first that does not hold.
"""

import http.client
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.local.pool import DemoUser, LocalPool
from deploy.local.sign_in import sign_in

FEED = "/api/activities/home"
NOBODY = {"sub": None, "username": None}


class Reply:
    """An answer: status, the sidecar's word on it, JSON body. A class because it is read thrice."""

    def __init__(self, url: str, fields: Mapping[str, str], body: object = None) -> None:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        payload = None if body is None else json.dumps(body)
        method = "GET" if body is None else "POST"
        media = {"Content-Type": "application/json", "Connection": "close"}
        connection.request(method, parts.path, payload, {**media, **fields})
        answer = connection.getresponse()
        self.status = answer.status
        self.auth = answer.getheader("X-Cognito-Auth")
        self.body: Any = json.loads(answer.read())
        connection.close()


def main(record: str, sidecar: str, frontend: str = "") -> None:
    """Walk the story.

    Raises:
        SystemExit: A fact does not hold.
    """
    pool = _pool(record)
    ada = pool.users[0]
    tokens = sign_in(pool)
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}

    anonymous, signed_in = Reply(sidecar + FEED, {}), Reply(sidecar + FEED, bearer)
    fact("without a token the feed is anonymous", anonymous.auth == "anonymous")
    fact("with one it is authenticated", signed_in.auth == "authenticated")
    fact("who signed in sees one activity more", len(signed_in.body) == len(anonymous.body) + 1)
    fact("and it is Lore's", signed_in.body[0]["handle"] == "Lore")

    whoami = sidecar + "/api/whoami"
    fact("the backend knows who it is", Reply(whoami, bearer).body["sub"] == ada.sub)
    spoofed = {"X-Cognito-Sub": "somebody", "X_Cognito_Sub": "somebody"}
    fact("a spoofed header names nobody", Reply(whoami, spoofed).body == NOBODY)
    fact("nor somebody else", Reply(whoami, {**bearer, **spoofed}).body["sub"] == ada.sub)
    tampered = Reply(whoami, {"Authorization": f"Bearer {tokens.access_token[:-4]}AAAA"})
    fact("a tampered token proves nobody", tampered.body == NOBODY)
    fact("and is named", tampered.auth == "anonymous; reason=signature_invalid")
    identified = {"Authorization": f"Bearer {tokens.id_token}"}
    fact("an ID token is not for the API", Reply(whoami, identified).body == NOBODY)

    post = {"message": "From a container", "ttl": "1-day"}
    activities = sidecar + "/api/activities"
    fact("nobody cannot post", Reply(activities, {}, post).status == http.HTTPStatus.UNAUTHORIZED)
    fact("who signed in can", Reply(activities, bearer, post).body["handle"] == ada.sub)
    if frontend:
        config = Reply(frontend + "/config.json", {}).body
        fact("the page is told of this pool", config["userPoolId"] == pool.user_pool_id)


def fact(text: str, holds: bool) -> None:  # noqa: FBT001 - reads like a sentence
    """Print a fact, or end.

    Raises:
        SystemExit: It does not hold.
    """
    print(f"{'ok' if holds else 'not ok'}: {text}", flush=True)
    if not holds:
        sys.exit(1)


def _pool(record: str) -> LocalPool:
    values = json.loads(Path(record).read_text(encoding="utf-8"))
    users = tuple(DemoUser(**user) for user in values.pop("users"))
    return LocalPool(**values, users=users)


if __name__ == "__main__":
    main(*sys.argv[1:])
