"""What is allowed. Pure: no socket, no clock, no environment, no logging."""
