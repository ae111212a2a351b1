"""The tools themselves. Each module's functions with `@tool` are in the registry; a new tool is one function in one file."""
