"""Operating it: health and log lines, never on the public port."""
