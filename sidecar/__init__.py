"""Identity in front of any backend: a reverse proxy that verifies Amazon Cognito tokens."""

__version__ = "0.1.0"
