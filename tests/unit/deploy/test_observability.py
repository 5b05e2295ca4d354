"""Dashboard and alerts speak of metrics and labels that the sidecar really has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sidecar.model import Anonymous, RequestRecord
from sidecar.ops.exposition import Exposition
from sidecar.ops.metrics import KeyReading, Metrics, Readings

FOLDER = Path(__file__).parents[3] / "deploy" / "observability"
DOCS = Path(__file__).parents[3] / "docs" / "operations.md"
NAME = re.compile(r"\b((?:sidecar|process)_[a-z_]+)\b(?:\{([^}]*)\})?")
LABEL = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"')
GROUPED = re.compile(r"by \(([^)]*)\)")
FROM_PROMETHEUS = {"job", "instance"}


def real_metrics() -> dict[str, set[str]]:
    """Return every name that Prometheus stores for a sidecar, and its labels."""
    metrics = Metrics()
    record = RequestRecord("GET", 0.0, caller=Anonymous(), status=200, route="/a", upstream_s=0.1)
    record.would_refuse = "token_missing"
    metrics.observe(record)
    metrics.observe(RequestRecord("GET", 0.0, reason="overloaded", status=503))
    readings = Readings(keys=(KeyReading("pool", ("kid",), 1.0, 1, 0),))
    text = Exposition(metrics, lambda: readings).text().decode()
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


METRICS = real_metrics()


def expressions() -> Iterator[str]:
    """Return every PromQL expression of the folder."""
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]
    for group in yaml.safe_load((FOLDER / "prometheus-rules.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_expression_names_real_metrics_and_labels(expression: str) -> None:
    """A renamed metric must not leave a panel empty or an alert silent."""
    labels = set(FROM_PROMETHEUS)
    for name, selector in NAME.findall(expression):
        assert name in METRICS, name
        assert set(LABEL.findall(selector)) <= METRICS[name] | FROM_PROMETHEUS, selector
        labels |= METRICS[name]
    for grouping in GROUPED.findall(expression):
        assert {label.strip() for label in grouping.split(",")} <= labels, grouping


def test_expressions_are_found() -> None:
    """The test above has something to look at in both files."""
    found = list(expressions())
    assert len(found) > 25
    assert sum("sidecar_" in expression for expression in found) > 20


def test_every_metric_of_ours_is_documented() -> None:
    """Names with their labels, as the table of docs/operations.md has them."""
    documented = DOCS.read_text(encoding="utf-8")
    suffixes = ("_bucket", "_count", "_sum", "_created")
    for name, labels in METRICS.items():
        base = next((name.removesuffix(s) for s in suffixes if name.endswith(s)), name)
        if not base.startswith("sidecar_"):
            continue
        assert f"`{base}`" in documented, base
        row = next(line for line in documented.splitlines() if line.startswith(f"| `{base}`"))
        assert set(re.findall(r"`([a-z_]+)`", row.split("|")[2])) == labels - {"le"}, row


def test_rules_and_dashboard_have_what_their_readers_need() -> None:
    """Every alert says how bad it is and what to do; every panel has a title and a place."""
    for group in yaml.safe_load((FOLDER / "prometheus-rules.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("warning", "critical")
            assert set(rule["annotations"]) == {"summary", "description"}
    panels = json.loads((FOLDER / "grafana-dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel["gridPos"]["w"] <= 24 for panel in panels)
