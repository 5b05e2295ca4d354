"""All that the admin page shows, as JSON has it. No token, no secret."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sidecar import __version__
from sidecar.ops.history import STEP_S, History
from sidecar.ops.metrics import NO_ROUTE, Metrics, Readings
from sidecar.ops.refusals import Refused
from sidecar.policy.routes import Route

_REFUSED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Now:
    """What is known of this moment.

    Attributes:
        time: Seconds since the epoch.
        started_at: When the sidecar started, in seconds since the epoch.
        missing: What keeps it from serving.
        readings: What other rooms count.
        routes: The rules in force, the default last.
        settings: Name, value as text, whether it differs from the default.
    """

    time: float
    started_at: float
    missing: list[str]
    readings: Readings
    routes: Sequence[Route]
    settings: list[tuple[str, str, bool]]


def describe(
    now: Now, metrics: Metrics, history: History, refusals: Sequence[Refused]
) -> dict[str, object]:
    """Gather everything for the page."""
    readings = asdict(now.readings)
    keys = readings.pop("keys")
    for pool in keys:
        seen = {kid: history.key_seen_at.get((pool["pool_id"], kid)) for kid in pool["kids"]}
        pool["kids"] = [{"kid": kid, "seen_at": at} for kid, at in seen.items()]
    return {
        "version": __version__,
        "time": now.time,
        "started_at": now.started_at,
        "missing": now.missing,
        "readings": readings,
        "keys": keys,
        "step_s": STEP_S,
        "history": [asdict(sample) for sample in history.samples],
        "decisions": _decisions(metrics),
        "routes": _routes(now.routes, metrics),
        "refusals": [asdict(refused) for refused in refusals],
        "settings": now.settings,
    }


def _decisions(metrics: Metrics) -> list[dict[str, object]]:
    names = ("result", "reason", "token_use", "pool")
    return [
        {**dict(zip(names, decision, strict=True)), "count": count}
        for decision, count in metrics.decisions.items()
    ]


def _routes(routes: Sequence[Route], metrics: Metrics) -> list[dict[str, object]]:
    hits: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for (_, code, label), count in metrics.requests.items():
        hits[label] += count
        refused[label] += count if code in _REFUSED else 0
    reported: Counter[str] = Counter()
    for (label, _), count in metrics.reported.items():
        reported[label] += count
    rows: list[dict[str, object]] = [
        {
            "label": route.label,
            "mode": route.mode.value,
            "asks": sorted(route.groups | route.scopes),
            "report_only": route.report_only,
            "requests": hits[route.label],
            "refused": refused[route.label],
            "would_refuse": reported[route.label],
        }
        for route in routes
    ]
    if hits[NO_ROUTE]:
        unread = {"mode": "", "asks": [], "report_only": False, "refused": 0, "would_refuse": 0}
        rows.append({"label": "before any rule", "requests": hits[NO_ROUTE], **unread})
    return rows
