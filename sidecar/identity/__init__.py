"""Who is calling. Pure: no socket, no clock, no environment, no logging."""
