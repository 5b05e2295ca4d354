"""Spans for OpenTelemetry, where the extra `otel` is installed and `OTEL_*` variables ask for it.

A span is made after its request is over, from what is noted anyway: nothing is added to a request's
way, and the fields that carry a trace (`traceparent`, `X-Amzn-Trace-Id`) pass as they came.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sidecar.model import RequestRecord
from sidecar.ops.metrics import METHODS, decision_of

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

_SERVER_ERROR = 500
_SAMPLED = 1


class TracingUnavailable(Exception):
    """Traces are asked for and cannot be made; the message says what is missing."""


def make_provider() -> "TracerProvider":
    """Make the provider that the `OTEL_*` variables describe, exporting by OTLP over HTTP.

    Raises:
        TracingUnavailable: The extra `otel` is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 - only the extra brings it
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - optional
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - optional
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - optional
    except ImportError as error:
        remedy = "OTEL_* asks for traces: pip install 'cognito-sidecar[otel]', or unset it"
        raise TracingUnavailable(remedy) from error
    # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over this name.
    provider = TracerProvider(resource=Resource.create({"service.name": "cognito-sidecar"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Tracing:
    """Makes spans of requests. A class because its exporter is shut down at the end.

    Args:
        provider: Who makes spans and exports them.
        clock: Returns seconds since the epoch.
    """

    def __init__(self, provider: "TracerProvider", clock: Callable[[], float]) -> None:
        self._provider = provider
        self._tracer: Tracer = provider.get_tracer("sidecar")
        self._clock = clock

    def observe(self, record: RequestRecord) -> None:
        """Make the server span of a request, and the client span of what the backend took."""
        from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415 - optional

        offset_s = self._clock() - time.monotonic()
        started_at = _nanoseconds(record.started_at + offset_s)
        server = self._tracer.start_span(
            f"{record.method or 'HTTP'} {record.route}".rstrip(),
            context=_parent_of(record),
            kind=SpanKind.SERVER,
            start_time=started_at,
            attributes=_attributes(record),
        )
        if record.upstream_s >= 0:
            began_at = _nanoseconds(record.upstream_at + offset_s)
            client = self._tracer.start_span(
                f"{record.method} backend",
                context=set_span_in_context(server),
                kind=SpanKind.CLIENT,
                start_time=began_at,
                attributes={"sidecar.upstream_reused": record.is_upstream_reused},
            )
            client.end(began_at + _nanoseconds(record.upstream_s))
        _mark_failure(server, record)
        server.end(started_at + _nanoseconds(record.duration_s))

    def close(self) -> None:
        """Export what is still held."""
        self._provider.shutdown()


def _parent_of(record: RequestRecord) -> "Context | None":
    """Return the client's span as the parent; a trace of its own where it sent none."""
    from opentelemetry.trace import (  # noqa: PLC0415 - optional
        NonRecordingSpan,
        SpanContext,
        TraceFlags,
        set_span_in_context,
    )

    if not record.trace_id:
        return None
    parent = SpanContext(
        int(record.trace_id, 16),
        int(record.parent_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(_SAMPLED if record.is_trace_sampled else 0),
    )
    return set_span_in_context(NonRecordingSpan(parent))


def _attributes(record: RequestRecord) -> dict[str, str | int | bool]:
    """Name what was asked and decided (OpenTelemetry semantic conventions for HTTP)."""
    attributes: dict[str, str | int | bool] = {
        "http.request.method": record.method if record.method in METHODS else "_OTHER",
        "url.path": record.path,
        "http.response.status_code": record.status,
        "http.route": record.route,
        "sidecar.request_id": record.request_id,
    }
    decision = decision_of(record)
    if decision is not None:
        names = ("result", "reason", "token_use", "pool")
        said = zip(names, decision, strict=True)
        attributes |= {f"sidecar.auth.{name}": value for name, value in said if value}
    if record.would_refuse:
        attributes["sidecar.auth.would_refuse"] = record.would_refuse
    return attributes


def _mark_failure(span: "Span", record: RequestRecord) -> None:
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 - optional

    if record.status >= _SERVER_ERROR or record.status == 0:
        span.set_status(StatusCode.ERROR, record.reason)


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
