"""Judge tokens by us and by every oracle, and count where we differ."""

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.errors import TokenError
from sidecar.identity.authenticator import Authenticator, Pool
from sidecar.identity.credentials import bearer_token
from sidecar.identity.keyset import KeySet, parse_key_set
from tests.fuzz.token.grammar import NOW, Grammar
from tests.fuzz.token.oracles import NAMES, Oracle
from tests.fuzz.token.reasons import explain
from tests.support import mint
from tests.support.pools import RULES, authenticator

BATCH = 400

CHANGED = frozenset({"encoding", "structure", "signature", "confusion", "bytes"})
"""Classes that change signed tokens: we accept what the change happened to leave as it was, and
nothing else, whatever an oracle says."""


@dataclass
class Outcome:
    """What a run found.

    Attributes:
        seed: Of the run.
        tokens: By class, how many.
        accepted: By judge and class, how many were accepted; we are `ours`.
        crashed: By judge, how often something else than the library's own error came out.
        refused_alone: By our reason and oracle, what that oracle accepts and we refuse.
        explained: By oracle and reason of the written list, what we accept and it refuses.
        violations: What must not be: class, what happened, the token.
        duration_s: Of the run.
    """

    seed: int
    tokens: Counter[str] = field(default_factory=Counter)
    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    crashed: Counter[str] = field(default_factory=Counter)
    refused_alone: Counter[tuple[str, str]] = field(default_factory=Counter)
    explained: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: list[tuple[str, str, bytes]] = field(default_factory=list)
    duration_s: float = 0.0


class _Keys:
    def __init__(self, jwks: bytes) -> None:
        self._keys = parse_key_set(jwks)

    def current(self) -> KeySet:
        return self._keys


def run(count: int, seed: int) -> Outcome:
    """Judge `count` tokens."""
    outcome = Outcome(seed)
    start = time.perf_counter()
    grammar = Grammar(seed)
    ours = authenticator(Pool(mint.POOL_ID, RULES, _Keys(grammar.jwks)))
    with contextlib.ExitStack() as running:
        oracles = [running.enter_context(Oracle(name, grammar.jwks, NOW)) for name in NAMES]
        batch = grammar.make(min(BATCH, count))
        made = len(batch)
        while batch:
            for oracle in oracles:
                oracle.submit([token for _, token in batch])
            # The oracles work while we do, and while the next batch is made.
            verdicts = [_judge(ours, token) for _, token in batch]
            following = grammar.make(min(BATCH, count - made))
            made += len(following)
            others = {oracle.name: oracle.verdicts() for oracle in oracles}
            _compare(outcome, batch, verdicts, others)
            outcome.violations += [
                (name, "we accept a changed token", token)
                for (name, token), verdict in zip(batch, verdicts, strict=True)
                if verdict == "A" and name in CHANGED and token not in grammar.stock
            ]
            batch = following
    outcome.duration_s = time.perf_counter() - start
    return outcome


def _judge(ours: Authenticator, token: bytes) -> str:
    """Return A, or why not; C and what came out if that is not our own error."""
    try:
        found = bearer_token([b"Bearer " + token])
        if found is None:
            return "token_missing"
        ours.authenticate(found, NOW)
    except TokenError as error:
        return error.reason
    except Exception as error:  # noqa: BLE001 - whatever else comes out is the finding
        return f"C {type(error).__name__}"
    return "A"


def _compare(
    outcome: Outcome,
    batch: Sequence[tuple[str, bytes]],
    verdicts: Sequence[str],
    others: dict[str, str],
) -> None:
    for index, ((name, token), verdict) in enumerate(zip(batch, verdicts, strict=True)):
        outcome.tokens[name] += 1
        outcome.accepted["ours", name] += verdict == "A"
        if verdict.startswith("C"):
            outcome.crashed["ours"] += 1
            outcome.violations.append((name, f"we crash: {verdict}", token))
        for oracle, letters in others.items():
            _compare_with(outcome, (name, token), verdict, (oracle, letters[index]))


def _compare_with(
    outcome: Outcome, made: tuple[str, bytes], verdict: str, other: tuple[str, str]
) -> None:
    (name, token), (oracle, letter) = made, other
    outcome.accepted[oracle, name] += letter == "A"
    outcome.crashed[oracle] += letter == "C"
    if verdict != "A" and letter == "A":
        outcome.refused_alone[verdict, oracle] += 1
    elif verdict == "A" and letter != "A":
        reason = explain(oracle, token)
        if reason:
            outcome.explained[oracle, reason] += 1
        else:
            outcome.violations.append((name, f"{oracle} refuses what we accept", token))
