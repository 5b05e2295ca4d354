"""Several processes on one port: each is a whole sidecar, and one more sees to them."""
