"""The registry: typed functions become tools with a name, a description and a schema of their arguments.

    @tool()
    def alerts(session: Session, name: Annotated[str | None, Field(description="Name of the rule")] = None) -> str:
        \"\"\"What the model reads.\"\"\"

Every `Tool` in a module of `itbench.tools.library` is registered; there is no list to keep.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Concatenate, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from itbench.model.base import Domain
from itbench.tools.live import Need
from itbench.tools.session import Session

ToolFunction = Callable[Concatenate[Session, ...], str]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told of a tool.

    Attributes:
        parameters: the JSON Schema of its arguments, an object.
        changes: whether a call may change something.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    changes: bool = False


@dataclass(frozen=True)
class Tool:
    """A function that answers in text; `domains` are those whose tasks it serves, `needs` what of a live incident."""

    function: ToolFunction
    domains: frozenset[Domain]
    needs: Need | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The model of the arguments: the function's parameters after the session; no others are accepted."""
        hints = get_type_hints(self.function, include_extras=True)
        fields: dict[str, Any] = {
            name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
            for name, parameter in list(inspect.signature(self.function).parameters.items())[1:]
        }
        return create_model(self.name, __config__=ConfigDict(extra="forbid"), **fields)

    @cached_property
    def spec(self) -> ToolSpec:
        """Name, docstring and schema."""
        schema = _plain(self.arguments.model_json_schema())
        schema.setdefault("properties", {})
        return ToolSpec(self.name, inspect.getdoc(self.function) or "", schema, self.needs in ("kubectl", "findings"))

    def __call__(self, session: Session, arguments: Mapping[str, Any]) -> str:
        """The answer.

        Raises:
            pydantic.ValidationError: an argument is missing, unknown or of the wrong type.
            ItbenchError: the question cannot be answered.
        """
        known = self.arguments.model_validate(dict(arguments))
        return self.function(session, **{name: getattr(known, name) for name in type(known).model_fields})


def tool(*, domains: frozenset[Domain] = frozenset({"sre"}), needs: Need | None = None) -> Callable[[ToolFunction], Tool]:
    """Make a tool of a function. Its docstring is what the model reads, its annotations describe the arguments."""
    return lambda function: Tool(function, domains, needs)


@cache
def tools() -> Mapping[str, Tool]:
    """All tools by name: modules by name, their tools in the order of the source."""
    from itbench.tools import library

    found: dict[str, Tool] = {}
    for module in sorted(pkgutil.iter_modules(library.__path__), key=lambda each: each.name):
        members = vars(importlib.import_module(f"{library.__name__}.{module.name}"))
        for member in members.values():
            if isinstance(member, Tool) and member.function.__module__ == members["__name__"]:
                found[member.name] = member
    return found


def _plain(schema: Any) -> Any:
    """The schema without titles, and `X or null` as `X`: what an argument left out means is said by its default."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    options = [each for each in plain.get("anyOf", ()) if each != {"type": "null"}]
    if len(options) == 1:
        plain = {**options[0], **{key: value for key, value in plain.items() if key != "anyOf"}}
    if plain.get("default", ...) is None:
        del plain["default"]
    return plain
