"""Every way the backend says no. Errors carry a reason and a status; `refusal.py` words them."""

from dataclasses import dataclass


class BackendError(Exception):
    """Base of the tree.

    Attributes:
        reason: Stable string for programs; the `error` member of the JSON answer.
        status: HTTP status of the answer.
    """

    reason = "internal_error"
    status = 500


class SettingsInvalid(BackendError):
    """One or more environment settings are unusable; the message lists all of them on one line."""

    reason = "settings_invalid"


class StoreUnavailable(BackendError):
    """SQLite cannot be opened, read or written now. The cause is chained; clients never see it."""

    reason = "store_unavailable"
    status = 503


class SignInRequired(BackendError):
    """The request has no identity and the operation needs one."""

    reason = "sign_in_required"
    status = 401


class BodyMalformed(BackendError):
    """The request body is not JSON."""

    reason = "json_malformed"
    status = 400


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with a request body: the member's name and what was expected of it."""

    field: str
    expected: str


class ActivityInvalid(BackendError):
    """The body is JSON but not an activity.

    Attributes:
        problems: Everything wrong with it, not only the first finding.
    """

    reason = "activity_invalid"
    status = 422

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("the activity cannot be accepted; see problems")
        self.problems = problems
