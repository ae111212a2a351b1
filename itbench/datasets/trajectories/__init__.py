"""Sessions of other agents, read as trajectories: Codex, Claude Code, Gemini CLI, chat logs, Inspect, MAST-Data.

converted = read_session(Path("session.jsonl"))
converted.trajectory, converted.malformed, converted.problems
"""

from itbench.datasets.trajectories.lines import LineProblem
from itbench.datasets.trajectories.read import Converted, Format, Session, read_session, read_sessions

__all__ = ["Converted", "Format", "LineProblem", "Session", "read_session", "read_sessions"]
