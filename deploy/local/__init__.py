"""Everything of the demo on one machine: a local Cognito, the parts in front of it, one token."""
