"""What the API decides and does. Knows no HTTP and no Flask; the time is always passed in."""
