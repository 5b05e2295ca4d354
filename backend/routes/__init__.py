"""HTTP in, HTTP out: one blueprint per resource. Decisions live in `backend.services`."""
