"""An annotator that is a language model: its prompt has a version, and its quotes must stand in the trace."""
