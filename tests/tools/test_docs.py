"""docs/tools.md says of each tool what the registry says."""

from __future__ import annotations

from pathlib import Path

from itbench.tools.registry import tools

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "tools.md"


def table() -> list[str]:
    """To be pasted into the guide when this test fails: print('\\n'.join(table()))."""
    lines = ["| tool | arguments (needed ones in bold) | answers |", "|---|---|---|"]
    for tool in tools().values():
        needed = tool.spec.parameters.get("required", [])
        names = ", ".join(f"**{name}**" if name in needed else name for name in tool.spec.parameters["properties"])
        lines.append(f"| `{tool.name}` | {names} | {tool.spec.description.splitlines()[0]} |")
    return lines


def test_the_guide_lists_every_tool_as_it_is() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert "\n".join(table()) in text
