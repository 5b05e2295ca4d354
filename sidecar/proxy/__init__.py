"""Carrying the request from the client to the backend and the answer back."""
