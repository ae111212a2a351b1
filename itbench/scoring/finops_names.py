"""When two names of FinOps resources mean the same: spelling, aliases, and the hierarchy that a name may be told along.

`acct-7/AWS/AmazonEC2/checkout` names the application `checkout` if the truth knows that path; so does `checkout` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from itbench.model.resource import Resource
from itbench.model.rules import CostNames

ResourceKey = tuple[str, str]
"""Type and name, in the form in which they are compared."""

_PARTED = re.compile(r"\s*(?:/|>|→)\s*")


class CostMatcher:
    """Compares names by the rules.

    Args:
        names: other words, from the rules.
        paths: of the truth's attribution, value by column; a name told along the hierarchy must agree with one.
    """

    def __init__(self, names: CostNames, paths: Sequence[Mapping[str, str]] = ()) -> None:
        self._types = {squeezed(word): squeezed(main) for main, words in names.types.items() for word in (main, *words)}
        self._names = {_plain(word): _plain(group[0]) for group in names.names for word in group}
        self._classes = {squeezed(word): main for main, words in names.classes.items() for word in (main, *words)}
        self._paths = [{self._name(value) for value in path.values()} for path in paths]

    def key(self, resource: Resource) -> ResourceKey:
        """What a resource is compared by."""
        return self.type(resource.type), self._name(resource.name)

    def type(self, text: str) -> str:
        """What a type is compared by."""
        plain = squeezed(text)
        return self._types.get(plain, plain)

    def cause(self, text: str) -> str:
        """The class of a cause that somebody calls `text`."""
        plain = squeezed(text)
        return self._classes.get(plain, plain)

    def find(self, named: Resource, wanted: Mapping[ResourceKey, Resource]) -> ResourceKey | None:
        """Which of the wanted resources is named: by its own name, or at the end of a path through the hierarchy."""
        key = self.key(named)
        if key in wanted:
            return key
        *above, last = (part for part in _PARTED.split(named.name) if part)
        told = (key[0], self._name(last))
        if not above or told not in wanted:
            return None
        around = {self._name(part) for part in above}
        agrees = not self._paths or any(around <= path and told[1] in path for path in self._paths)
        return told if agrees else None

    def covers(self, key: ResourceKey, path: Mapping[str, str]) -> bool:
        """Whether a row of the hierarchy is of the resource."""
        return any(self.type(column) == key[0] and self._name(value) == key[1] for column, value in path.items())

    def within(self, scope: str, path: Mapping[str, str]) -> bool:
        """Whether a row of the hierarchy lies in a scope, such as `acct-7`, `account/acct-7` or `Application=checkout`."""
        kind, parted, rest = scope.partition("/")
        scope = rest if parted and self.type(kind) in set(self._types.values()) else scope
        values = {self._name(value) for value in path.values()}
        parts = [part.rpartition("=")[2].rpartition(":")[2] for part in re.split(r"[/>→,;]", scope)]
        return all(self._name(part.strip()) in values for part in parts if part.strip())

    def _name(self, text: str) -> str:
        plain = _plain(text)
        return self._names.get(plain, plain)


def squeezed(text: str) -> str:
    """Letters and digits in lower case."""
    return re.sub(r"[^a-z0-9]+", "", text.casefold())


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
