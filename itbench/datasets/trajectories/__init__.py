"""Sessions of other agents, read as trajectories: Codex, Claude Code, Gemini CLI and OpenAI chat logs.

converted = read_session(Path("session.jsonl"))
converted.trajectory, converted.malformed, converted.problems
"""

from itbench.datasets.trajectories.lines import LineProblem
from itbench.datasets.trajectories.read import Converted, Format, read_session

__all__ = ["Converted", "Format", "LineProblem", "read_session"]
