"""The spans of a request, and that nothing is made unless somebody asks."""

import pytest

from sidecar.config import wants_traces
from sidecar.model import Anonymous, Identity, RequestRecord
from sidecar.ops.tracing import Tracing
from sidecar.proxy.headers import note_trace

sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="comes with the extra `otel`")
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: E402 - see above
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402 - see above
from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: E402 - see above
    InMemorySpanExporter,
)
from opentelemetry.trace import SpanKind, StatusCode  # noqa: E402 - see above

IDENTITY = Identity((), frozenset(), frozenset(), "access", "eu-west-1_x", "kid", 1.0)
TRACEPARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def record(**changes: object) -> RequestRecord:
    """Make a request that went well, but for the changes."""
    made = RequestRecord("GET", 10.0, "/a", "id-1", IDENTITY, status=200, route="/a")
    made.duration_s, made.upstream_at, made.upstream_s = 0.5, 10.1, 0.25
    for name, changed in changes.items():
        setattr(made, name, changed)
    return made


def spans_of(made: RequestRecord) -> dict[SpanKind, ReadableSpan]:
    """Return the spans of a request, by kind."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    Tracing(provider, lambda: 1_800_000_000.0).observe(made)
    return {span.kind: span for span in exporter.get_finished_spans()}


def test_request_is_a_server_span_around_a_client_span() -> None:
    """What the backend took lies within what the whole took, to the nanosecond."""
    spans = spans_of(record())
    server, client = spans[SpanKind.SERVER], spans[SpanKind.CLIENT]
    assert client.parent is not None
    assert client.parent.span_id == server.context.span_id
    assert server.start_time is not None
    assert client.start_time is not None
    assert server.end_time is not None
    assert client.end_time is not None
    assert (server.end_time - server.start_time) / 1e9 == pytest.approx(0.5, abs=1e-5)
    assert (client.start_time - server.start_time) / 1e9 == pytest.approx(0.1, abs=1e-5)
    assert (client.end_time - client.start_time) / 1e9 == pytest.approx(0.25, abs=1e-5)


def test_decision_is_told_in_attributes() -> None:
    """Result and reason stand where somebody searches for traces."""
    attributes = spans_of(record())[SpanKind.SERVER].attributes or {}
    assert attributes["sidecar.auth.result"] == "authenticated"
    assert attributes["sidecar.auth.pool"] == "eu-west-1_x"
    assert attributes["http.response.status_code"] == 200
    refused = record(caller=Anonymous(), reason="token_expired", status=401, upstream_s=-1.0)
    spans = spans_of(refused)
    assert (spans[SpanKind.SERVER].attributes or {})["sidecar.auth.reason"] == "token_expired"
    assert SpanKind.CLIENT not in spans


def test_trace_of_the_client_goes_on() -> None:
    """The span hangs below the client's, as the backend's will."""
    made = record()
    note_trace(TRACEPARENT, made)
    server = spans_of(made)[SpanKind.SERVER]
    assert f"{server.context.trace_id:032x}" == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert server.parent is not None
    assert f"{server.parent.span_id:016x}" == "00f067aa0ba902b7"


def test_trace_that_the_client_does_not_record_is_not_exported() -> None:
    """Sampling is decided once, at the head of a trace."""
    made = record()
    note_trace(TRACEPARENT[:-2] + b"00", made)
    assert spans_of(made) == {}


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"00-0-0-01",
        b"ff" + TRACEPARENT[2:],
        TRACEPARENT.upper(),
        b"00-" + b"0" * 32 + b"-1-01",
    ],
)
def test_trace_field_that_says_nothing_begins_a_trace(field: bytes) -> None:
    """What is no traceparent is passed on and otherwise left alone."""
    made = record()
    note_trace(field, made)
    assert made.trace_id == ""
    assert spans_of(made)[SpanKind.SERVER].parent is None


def test_failure_of_the_server_is_an_error() -> None:
    """A 502 is found by its status, a 401 is none."""
    assert spans_of(record(status=502))[SpanKind.SERVER].status.status_code is StatusCode.ERROR
    assert spans_of(record(status=401))[SpanKind.SERVER].status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_standard_variables_decide(environment: dict[str, str], *, expected: bool) -> None:
    """There is no switch of our own."""
    assert wants_traces(environment) is expected
