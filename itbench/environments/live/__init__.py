"""Live environments: a simulated application that agents can break and repair, in this process or behind a real API server."""
