"""Live environments: a simulated application that agents can break and repair, here or behind a real API server."""
