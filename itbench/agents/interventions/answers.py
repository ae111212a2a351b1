"""What guards read in an answer: the entities that it blames, and what it says of them. Answers are hostile: any type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from itbench.model.entity import Entity

_MOST = 100


@dataclass(frozen=True, slots=True)
class Blamed:
    """An entity of an answer to an incident."""

    name: str
    root: bool
    evidence: str

    @property
    def short(self) -> str:
        """The name of the object alone, in lower case."""
        return Entity.parse(self.name).name.lower()

    @property
    def has_kind(self) -> bool:
        """Whether it says what kind of object it is."""
        return Entity.parse(self.name).kind is not None


def blamed(document: Mapping[str, Any] | None) -> list[Blamed]:
    """The entities of an answer, at most a hundred; those without a name are left out."""
    entities = (document or {}).get("entities")
    found = []
    for each in entities[:_MOST] if isinstance(entities, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str) and each["name"].strip().strip("/").strip():
            evidence = each.get("evidence")
            found.append(
                Blamed(
                    each["name"].strip().strip("/").strip(),
                    each.get("contributing_factor") is True,
                    evidence if isinstance(evidence, str) else "",
                )
            )
    return found
