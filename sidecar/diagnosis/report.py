"""What was found out, as text for a person and as JSON for a program. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from sidecar.diagnosis.explain import Check, Explanation, show
from sidecar.diagnosis.question import Answer
from sidecar.model import Identity


class Level(StrEnum):
    """How well a thing is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `check`.

    Attributes:
        level: How well it is.
        subject: What was looked at.
        found: What was seen there.
        remedy: What to do about it; empty if nothing is to be done.
    """

    level: Level
    subject: str
    found: str
    remedy: str = ""


def findings_text(findings: Sequence[Finding]) -> str:
    """Write the lines of `check`."""
    width = max(len(finding.subject) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:4}  {finding.subject:{width}}  {finding.found}")
        if finding.remedy:
            lines.append(f"{'':4}  {'':{width}}  -> {finding.remedy}")
    return "\n".join(lines) + "\n"


def findings_json(findings: Sequence[Finding]) -> str:
    """Write the lines of `check` as a JSON object with a list `checks`."""
    return json.dumps({"checks": [asdict(finding) for finding in findings]}, indent=2) + "\n"


def answer_data(answer: Answer) -> dict[str, object]:
    """Return an answer as JSON has it."""
    verdict, remarks = answer.verdict, list(answer.remarks)
    return {
        "token": _explanation_data(answer.explanation) if answer.explanation else None,
        "request": asdict(verdict) if verdict is not None else None,
        "remarks": remarks,
    }


def answer_text(answer: Answer) -> str:
    """Write an answer for a person: the token's checks as a table, the first failure marked."""
    lines = [f"note: {remark}" for remark in answer.remarks]
    if answer.explanation is not None:
        lines += [*_table(answer.explanation.checks), "", *_summary(answer.explanation)]
    verdict = answer.verdict
    if verdict is not None:
        rule = f"rule {verdict.route} ({verdict.mode})" if verdict.route else "no rule"
        lines.append(f"{verdict.method} {show(verdict.path)[1:-1]}: {rule}: {verdict.answer}")
    return "\n".join(lines) + "\n"


def _explanation_data(explanation: Explanation) -> dict[str, object]:
    outcome = explanation.outcome
    fields = outcome.fields if isinstance(outcome, Identity) else ()
    return {
        "accepted": isinstance(outcome, Identity),
        "reason": explanation.reason,
        "expires_in_s": explanation.time_left_s,
        "checks": [
            {
                "name": check.name,
                "result": _result(check).lower(),
                "reason": check.reason,
                "expected": check.expected,
                "actual": check.actual,
            }
            for check in explanation.checks
        ],
        "headers": {name.decode(): value.decode() for name, value in fields},
    }


def _table(checks: Sequence[Check]) -> list[str]:
    width = max(len(check.name) for check in checks)
    lines, mark = [], "  <- the reason of the refusal"
    for check in checks:
        lines.append(f"{_result(check):4}  {check.name:{width}}  {check.actual}".rstrip())
        if check.reason:
            lines.append(f"{'':4}  {'':{width}}  expected {check.expected}")
            lines.append(f"{'':4}  {'':{width}}  {check.reason}{mark}")
            mark = ""
    return lines


def _summary(explanation: Explanation) -> list[str]:
    outcome, left_s = explanation.outcome, explanation.time_left_s
    if isinstance(outcome, Identity):
        lines = ["accepted; the backend gets"]
        lines += [f"  {name.decode()}: {value.decode()}" for name, value in outcome.fields]
    else:
        lines = [f"not accepted: {explanation.reason}"]
    if left_s is not None:
        lines.append(f"expires in {left_s:.0f} s" if left_s > 0 else f"expired {-left_s:.0f} s ago")
    return lines


def _result(check: Check) -> str:
    if check.reason:
        return "FAIL"
    return "ok" if check.is_made else "?"
