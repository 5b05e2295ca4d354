"""The tables `[timeouts]` and `[limits]`: how long anything may take, and how much there may be."""

from pydantic import BaseModel, ConfigDict, Field


class Table(BaseModel):
    """A table of settings: what it does not know is an error, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeoutSettings(Table):
    """The `[timeouts]` table, in seconds. What starts with `client_` is asked of clients."""

    connect_s: float = Field(
        default=5.0, gt=0, description="for the backend to accept a connection"
    )
    head_s: float = Field(
        default=60.0, gt=0, description="for the backend to begin its answer to a whole request"
    )
    idle_body_s: float = Field(
        default=60.0, gt=0, description="between two pieces of a body from, or to, the backend"
    )
    keep_idle_s: float = Field(
        default=1.5,
        ge=0,
        description="for a backend connection without work; below the backend's own keep-alive",
    )
    keep_s: float = Field(
        default=60.0,
        ge=0,
        description="for a backend connection altogether; then its name is looked up anew",
    )
    client_head_s: float = Field(
        default=10.0, gt=0, description="for a request's head, and for the first one to begin"
    )
    client_body_idle_s: float = Field(
        default=30.0,
        gt=0,
        description="between two pieces of a request's body; for one of up to 64 KiB, in all",
    )
    client_body_total_s: float = Field(default=3600.0, gt=0, description="for a whole request body")
    client_write_s: float = Field(
        default=60.0, gt=0, description="for a client to read what it was sent"
    )
    client_keep_alive_s: float = Field(
        default=75.0,
        gt=0,
        description="between two requests; above the 60 s of load balancers, so they close first",
    )
    grace_s: float = Field(
        default=2.0,
        ge=0,
        description="after SIGTERM: still serving, but not ready; SIGINT skips it",
    )
    drain_s: float = Field(
        default=10.0, ge=0, description="for requests in flight to finish once nothing is accepted"
    )


class LimitSettings(Table):
    """The `[limits]` table."""

    connections: int = Field(
        default=10_000, gt=0, description="of clients at once; one more is answered 503 and closed"
    )
    requests: int = Field(
        default=1_000, gt=0, description="in flight at once, WebSockets included; one more gets 503"
    )
    backend_connections: int = Field(
        default=1_000, gt=0, description="to the backend at once; one more request gets 503"
    )
    body_bytes: int = Field(
        default=1 << 30,
        ge=0,
        description="of a request; more gets 413; 0 sets no limit. No web application takes more "
        "by accident, and a chunked body without end stops somewhere",
    )
    field_bytes: int = Field(
        default=16 * 1024, gt=0, description="of one field of a request; more gets 431"
    )
    fields_bytes: int = Field(
        default=64 * 1024, gt=0, description="of all fields of a request together; more gets 431"
    )
    fields: int = Field(default=128, gt=0, description="of a request; more get 431")
    websocket_message_bytes: int = Field(
        default=64 << 20,
        gt=0,
        description="of one WebSocket message from a client; more is closed with 1009",
    )
