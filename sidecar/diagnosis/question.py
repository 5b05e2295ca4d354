"""A question about a token or a request, and its answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar import assembly
from sidecar.config import Settings
from sidecar.diagnosis.explain import Explanation, explain
from sidecar.diagnosis.keys import HeldKeys, KeysNotFound, fetch_keys, read_keys
from sidecar.diagnosis.verdict import Verdict, judge
from sidecar.identity.authenticator import Pool
from sidecar.identity.keyset import KeySource

# What people copy along with a token.
_AROUND = re.compile(r"^\s*(?:authorization:)?\s*(?:bearer\s+)?[\"']?|[\"']?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know.

    Attributes:
        token: As copied, with or without `Authorization: Bearer`; None for a request without one.
        path: A request target; None asks about the token alone.
        method: Of that request.
        jwks: A file of keys instead of the key servers.
    """

    token: str | None
    path: str | None = None
    method: str = "GET"
    jwks: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said.

    Attributes:
        explanation: Of the token; None without one.
        verdict: On the request; None without one.
        remarks: What kept the answer from being complete.
    """

    explanation: Explanation | None
    verdict: Verdict | None
    remarks: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether the token is accepted and the request, if asked about, forwarded."""
        if self.verdict is not None and not self.verdict.is_forwarded:
            return False
        return self.explanation is None or not self.explanation.reason


async def answer(question: Question, settings: Settings, now: float) -> Answer:
    """Answer a question, fetching keys where they are needed.

    Raises:
        KeysNotFound: The file of keys cannot be used.
    """
    remarks: list[str] = []
    keys: Mapping[str, KeySource] = {}
    if question.token is not None:
        keys = await _gather_keys(settings, question.jwks, remarks)
    pools = assembly.make_pools(settings, keys) if keys else ()
    return answer_with(question, pools, settings, now, remarks)


def answer_with(
    question: Question,
    pools: Sequence[Pool],
    settings: Settings,
    now: float,
    remarks: Sequence[str] = (),
) -> Answer:
    """Answer a question with the keys at hand."""
    explanation, verdict = None, None
    if question.token is not None:
        token = _AROUND.sub("", question.token).encode("utf-8", "replace")
        explanation = explain(token, pools, settings.headers, now)
    if question.path is not None:
        outcome = explanation.outcome if explanation is not None else None
        routes = assembly.make_routes(settings)
        verdict = judge(routes, question.method.upper(), question.path, outcome)
    return Answer(explanation, verdict, tuple(remarks))


async def _gather_keys(
    settings: Settings, file: Path | None, remarks: list[str]
) -> dict[str, KeySource]:
    urls = assembly.jwks_urls(settings)
    if file is not None:
        held = HeldKeys(read_keys(file))
        return dict.fromkeys(urls, held)
    keys: dict[str, KeySource] = {}
    for pool_id, url in urls.items():
        try:
            keys[pool_id] = HeldKeys((await fetch_keys(url)).keys)
        except KeysNotFound as error:
            remarks.append(f"no keys of {pool_id} from {url}: {error}")
            keys[pool_id] = HeldKeys(None)
    return keys
