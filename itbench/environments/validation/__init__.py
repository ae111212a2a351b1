"""Play one scenario on the twin and on another environment, without an agent, and see whether both tell the same."""
