"""Cruddur sample API: ordinary Flask code that lets a sidecar answer "who is calling"."""
