"""What a client may take and send. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientTimeouts:
    """How long a client may take, in seconds.

    Attributes:
        head_s: To send a request's head, counted from its first byte or from the connection.
        body_idle_s: Between two pieces of a body; a small body must be there within it.
        body_total_s: To send a whole body.
        write_s: To read what it was sent, before more is sent.
        keep_alive_s: Between two requests.
    """

    head_s: float
    body_idle_s: float
    body_total_s: float
    write_s: float
    keep_alive_s: float


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """How much a client may send, and how many may come.

    Attributes:
        connections: At once; one more is answered 503 and closed.
        requests: In flight at once; one more is answered 503.
        body_bytes: Of a request; 0 sets no limit.
        field_bytes: Of one field of a request.
        fields: Number of fields of a request.
        message_bytes: Of one WebSocket message from the client.
    """

    connections: int
    requests: int
    body_bytes: int
    field_bytes: int
    fields: int
    message_bytes: int
