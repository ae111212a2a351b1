"""YAML as plain values with lines. Tags other than those of plain data are refused, so nothing is ever constructed.

Reads YAML 1.1 as PyYAML does, except that dates stay text and keys are always text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import yaml
from pydantic import JsonValue

from itbench.datasets.tree import TOO_DEEP, TreeBuilder, UnreadableError

_CORE = "tag:yaml.org,2002:"
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def read_yaml(text: str) -> TreeBuilder:
    """Read one YAML document.

    Raises:
        UnreadableError: not YAML, several documents, a foreign tag, too deep or too large.
    """
    tree, documents = TreeBuilder(), 0
    scalars = _Scalars()
    for event in _events(text):
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise UnreadableError("a second document begins; one is expected", line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent() | yaml.AliasEvent() if tree.expects_key:
                raise UnreadableError("a key must be a plain value", line)
            case yaml.MappingStartEvent():
                _refuse_tag(event.tag, "map", line)
                tree.open({}, line, event.anchor)
            case yaml.SequenceStartEvent():
                _refuse_tag(event.tag, "seq", line)
                tree.open([], line, event.anchor)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                tree.close()
            case yaml.AliasEvent():
                tree.alias(event.anchor or "", line)
            case yaml.ScalarEvent() if tree.expects_key:
                if event.value == "<<" and event.implicit[0]:
                    tree.merge_next()
                else:
                    tree.key(event.value, line)
            case yaml.ScalarEvent():
                tree.scalar(scalars.value(event, line), line, event.anchor)
    return tree


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if "nesting depth" in str(error.problem):  # newer ones of libyaml have a limit of their own, above ours
            raise UnreadableError(TOO_DEEP, mark.line + 1 if mark else None) from error
        raise UnreadableError(f"not YAML: {error.problem}", mark.line + 1 if mark else None) from error
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes and PyYAML characters, so the place is looked for again.
        found = yaml.reader.Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else None
        raise UnreadableError("not YAML: a control character is not allowed", line) from error


def _refuse_tag(tag: str | None, allowed: str, line: int) -> None:
    if tag not in (None, "!", _CORE + allowed):
        raise UnreadableError(f"the tag {tag} is not plain data", line)


class _Scalars:
    """Scalars by the rules of YAML 1.1."""

    def __init__(self) -> None:
        self._resolve: Callable[..., str] = yaml.resolver.Resolver().resolve
        construct = yaml.constructor.SafeConstructor()
        self._construct = {
            _CORE + "null": construct.construct_yaml_null,
            _CORE + "bool": construct.construct_yaml_bool,
            _CORE + "int": construct.construct_yaml_int,
            _CORE + "float": construct.construct_yaml_float,
        }
        self._text = {_CORE + kind for kind in ("str", "timestamp", "value", "merge")}

    def value(self, event: yaml.ScalarEvent, line: int) -> JsonValue:
        """What a scalar stands for. Numbers that JSON cannot hold stay text."""
        tag = event.tag
        if tag in (None, "!"):
            tag = self._resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag in self._text:
            return event.value
        if tag not in self._construct:
            raise UnreadableError(f"the tag {tag} is not plain data", line)
        try:
            value: JsonValue = self._construct[tag](yaml.ScalarNode(tag, event.value))
        except (ValueError, KeyError, IndexError):  # a forced tag on other text, or a number of very many digits
            raise UnreadableError(f"{event.value[:40]!r} is not a {tag.removeprefix(_CORE)}", line) from None
        return event.value if isinstance(value, float) and not math.isfinite(value) else value
