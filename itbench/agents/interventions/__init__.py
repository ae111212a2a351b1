"""Structural fixes around an agent: what stands outside the model and holds it to a way of working. docs/mast.md."""
