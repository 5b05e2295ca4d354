"""Finding out why: a token explained check by check, a start checked from end to end."""
