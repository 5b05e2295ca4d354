"""The results in words, tables and pictures."""

from xml.etree import ElementTree as ET

from tests.bench import chart, plot, report
from tests.bench.results import Results
from tests.bench.table import Table
from tests.bench.targets import judge
from tests.unit.bench.conftest import made_round

PEERS = ("sidecar", "Envoy", "HAProxy")


def _tables(results: Results) -> dict[str, Table]:
    return {table.title: table for table in report.tables(results, judge(results), PEERS)}


def test_table_as_text_aligns_figures_to_the_right() -> None:
    """The first column is words, the others are figures."""
    table = Table("Title", ("", "a", "long"), [("row", "1.0", "2")], ["a note"])
    assert table.as_text().splitlines() == [
        "Title",
        "         a  long",
        "  row  1.0     2",
        "  a note",
    ]


def test_table_as_markdown_has_a_ruler_and_its_notes() -> None:
    """GitHub needs the ruler to see a table."""
    table = Table("Title", ("", "a"), [("row", "1.0")], ["a note"])
    assert table.as_markdown().splitlines() == [
        "## Title",
        "",
        "|  | a |",
        "| --- | ---: |",
        "| row | 1.0 |",
        "",
        "- a note",
    ]


def test_matrix_of_targets_says_ratio_target_and_outcome(results: Results) -> None:
    """One row for each figure, one column for each peer, as the issue has it."""
    matrix = _tables(results)["Targets: the sidecar's figure divided by the peer's"]
    assert matrix.header[1] == "vs Envoy"
    assert matrix.rows[0][:2] == ("hot, CPU per request", "0.40 (≤ 0.45 met)")
    assert matrix.rows[1][1] == "0.90 (≤ 0.80 missed)"
    assert matrix.rows[0][3] == "not measured (≤ 0.85)"


def test_cpu_table_shows_medians_of_who_was_measured(results: Results) -> None:
    """Who is missing has no column, and what was not measured no row."""
    table = _tables(results)["CPU per request, µs"]
    assert table.header == ("", "sidecar", "Envoy")
    assert table.rows == [("100 tokens", "40.0", "100.0"), ("every token new", "90.0", "100.0")]


def test_failure_is_shown_with_its_first_line(results: Results) -> None:
    """What could not be measured is said, not left out."""
    results.failures["websocket", "sidecar"] = "no WebSocket\nand a long story"
    row = ("WebSocket messages, 1 KiB", "sidecar", "no WebSocket")
    assert list(_tables(results)["Not measured"].rows) == [row]


def test_notes_name_the_missing_and_what_others_accept(results: Results) -> None:
    """A peer is never silently skipped, and never compared without what it leaves out."""
    assert report.notes(results) == [
        "missing: HAProxy: haproxy is not installed",
        "Envoy as configured here accepts another client's token",
    ]


def test_chart_is_a_picture_with_the_cheapest_first(results: Results) -> None:
    """Well-formed, and in the order of the cost."""
    drawn = ET.fromstring(chart.chart(results, PEERS))  # noqa: S314 - made on the line
    words = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    assert words[2:] == ["sidecar", "40", "90", "Envoy", "100", "100"]
    assert drawn.attrib["aria-label"].endswith("sidecar 40 µs; Envoy 100 µs")


def test_chart_bars_are_as_long_as_the_cost(results: Results) -> None:
    """40 µs is drawn 0.4 times as long as 100."""
    drawn = ET.fromstring(chart.chart(results, PEERS))  # noqa: S314 - made on the line
    ours, _, envoy, _ = (
        float(element.attrib["width"]) for element in drawn.iter() if element.tag.endswith("rect")
    )
    assert round(ours / envoy, 2) == 0.40


def test_plot_is_a_picture_with_one_panel_for_each_curve(results: Results) -> None:
    """Well-formed, each point with its figure and what grew."""
    results.growth["route rules"] = [(1, 50.0), (200, 60.0)]
    drawn = ET.fromstring(plot.plot(results))  # noqa: S314 - made on the line
    words = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    assert words.count("0") == 2
    assert words[:3] == ["µs per request, by users", "0", "60"]
    assert {"44", "100", "200"} <= set(words)


def test_pictures_of_nothing_are_still_pictures() -> None:
    """A run of one workload may have neither curve nor bar."""
    for empty in (chart.chart(Results(), PEERS), plot.plot(Results())):
        ET.fromstring(empty)  # noqa: S314 - made on the line


def test_workers_are_shown_with_throughput_and_with_what_cpu_allows(results: Results) -> None:
    """Both figures, and how the second came about."""
    results.workers = {1: [made_round(40.0)], 2: [made_round(41.0)]}
    table = _tables(results)["Workers"]
    assert table.rows == [
        ("1", "1000", "40.0", "25000", "1.00"),
        ("2", "1000", "41.0", "24390", "1.95"),
    ]
    assert "two cores" in table.notes[0]
