"""Who the sidecar says is calling. This file believes two headers; it proves nothing.

That is safe only behind the sidecar, which removes both names from every request and sets them
again after checking a token. So never publish the backend's own port.
"""

from dataclasses import dataclass
from urllib.parse import unquote

from werkzeug.datastructures import Headers

from backend.errors import SignInRequired

SUB_HEADER = "X-Cognito-Sub"
USERNAME_HEADER = "X-Cognito-Username"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who the sidecar says is calling; `sub` is None for an anonymous request.

    Attributes:
        sub: The stable id of the user or, for a machine, of its client.
        username: Text for display. A machine has a sub and no username.
    """

    sub: str | None
    username: str | None

    @property
    def is_signed_in(self) -> bool:
        """Whether the sidecar vouched for someone. Only `sub` counts, never a name alone."""
        return self.sub is not None


@dataclass(frozen=True, slots=True)
class Author:
    """A caller who may write. Only `author_of` makes one, so no anonymous request can be one."""

    sub: str
    handle: str


def caller_of(headers: Headers) -> Caller:
    """Read the sidecar's two headers and nothing else. A blank header counts as absent."""
    username = headers.get(USERNAME_HEADER) or None
    return Caller(
        sub=headers.get(SUB_HEADER) or None,
        username=None if username is None else _readable(username),
    )


def author_of(caller: Caller) -> Author:
    """Turn a signed-in caller into an author, shown by username or, without one, by sub.

    Raises:
        SignInRequired: The caller is anonymous.
    """
    if caller.sub is None:
        raise SignInRequired("sign in to post an activity")
    return Author(sub=caller.sub, handle=caller.username or caller.sub)


def _readable(username: str) -> str:
    """Undo the sidecar's percent-encoding, which is such that this gives back the name itself.

    A header that the sidecar did not write may not decode; it is then shown as it stands.
    """
    try:
        return unquote(username, errors="strict")
    except UnicodeDecodeError:
        return username
