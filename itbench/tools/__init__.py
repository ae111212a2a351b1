"""What an agent may ask about an incident: one registry of tools, served as functions, on the command line and over MCP."""
