"""Which lines of a tool's answer tell most."""

from __future__ import annotations

import re

# What controllers write follows from what somebody else changed.
_FOLLOWS = re.compile(r"/(?:Pod|ReplicaSet|Endpoints|EndpointSlice|Lease|Event|Node)/")
_CHANGED = re.compile(r"→|\b(?:modified|deleted|patched|scaled|restarted)\b")
_FAILED = re.compile(
    r"\b(?:error|fail\w*|crash\w*|backoff|oom\w*|denied|refused|evicted|unhealthy|invalid|forbidden)\b", re.IGNORECASE
)
_WARNED = re.compile(r"\b(?:warning|critical|firing|timeout|throttl\w*|exceeded|not ready)\b", re.IGNORECASE)
_LONGEST = 60_000


def telling_lines(text: str, most: int) -> list[str]:
    """At most so many lines of a text, in its order: changes before failures before warnings before the first lines."""
    lines = [line.strip() for line in text[:_LONGEST].splitlines() if line.strip()]
    best = sorted(range(len(lines)), key=lambda place: (rank(lines[place]), place))[:most]
    return [lines[place] for place in sorted(best)]


def rank(line: str) -> int:
    """How little a line tells: 0 somebody changed something, 1 a failure, 2 a warning, 3 anything else."""
    if _CHANGED.search(line) and not _FOLLOWS.search(line):
        return 0
    return 1 if _FAILED.search(line) else 2 if _WARNED.search(line) else 3
