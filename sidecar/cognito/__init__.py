"""Talking to AWS: where a pool lives and which keys it signs with."""
