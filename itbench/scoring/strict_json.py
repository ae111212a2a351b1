"""Strict JSON from hostile sources: bounded depth, finite numbers, nothing but the standard.

Python's own reader accepts NaN and 1e999, and gives up on deep nesting at a depth that depends on who calls it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from itertools import accumulate

from pydantic import JsonValue

MAX_DEPTH = 100

# A string, also one that is never closed: then it reaches to the end. Possessive, so that no input makes it slow.
STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)

# Escapes that matter here: complete pairs and others in group 1, half a pair outside it.
_SURROGATES = re.compile(r"(\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\[^u])|\\u[dD][89a-fA-F]..", re.DOTALL)

_NOT_BRACKETS = re.compile(r"[^\[\]{}]+")
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}


class JsonError(ValueError):
    """The text is not strict JSON; `line` is 1-based where it is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def parse_json(text: str, *, on_repeated_key: Callable[[str], None] | None = None) -> JsonValue:
    """Read one JSON document. Of equal keys in one object the last counts, as everywhere in Python.

    Args:
        text: the document.
        on_repeated_key: is told of each key that an object has several times, once for each object.

    Raises:
        JsonError: not JSON, a number that is not finite or too long, half a character, or nested too deeply.
    """
    if depth_exceeds(text, MAX_DEPTH):
        raise JsonError(f"nested more than {MAX_DEPTH} levels deep")
    if without_half_characters(text) != text:
        raise JsonError("an escape stands for half a character (a lone surrogate), which cannot be written")
    to_object = None if on_repeated_key is None else _noting_repeats(on_repeated_key)
    try:
        value: JsonValue = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=to_object
        )
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error.msg} (column {error.colno})", error.lineno) from None
    except JsonError:
        raise
    except ValueError:  # an integer of more digits than Python converts
        raise JsonError("a number is too long") from None
    return value


def without_half_characters(text: str) -> str:
    """JSON text in which escapes of lone surrogates became those of the replacement character."""
    return _SURROGATES.sub(lambda match: match[1] or "\\ufffd", text) if "\\u" in text else text


def depth_exceeds(text: str, limit: int) -> bool:
    """Whether brackets outside strings nest deeper than `limit`; linear in the length of `text`."""
    if text.count("[") + text.count("{") <= limit:
        return False
    brackets = _NOT_BRACKETS.sub("", STRING.sub("", text))
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > limit


def _noting_repeats(note: Callable[[str], None]) -> Callable[[list[tuple[str, JsonValue]]], dict[str, JsonValue]]:
    def to_object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        found = dict(pairs)
        if len(found) < len(pairs):
            for key, count in Counter(key for key, _ in pairs).items():
                if count > 1:
                    note(key)
        return found

    return to_object


def _refuse_constant(name: str) -> float:
    raise JsonError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonError(f"the number {text[:40]} is out of range")
    return number
