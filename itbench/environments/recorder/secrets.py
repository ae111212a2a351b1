"""Take secrets out of what is recorded, before it is written anywhere.

By their place: data of Secrets, and what ConfigMaps, environment variables and annotations call a password, token or key.
By their value: what a Secret was seen to hold is taken out of all that is recorded afterwards (logs, events, objects),
unless it is too short, or is the name of something.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.cluster.tree import copied

HIDDEN = "[redacted]"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TELLING = re.compile(r"passw(or)?d|passphrase|secret|token|credential|api[-_.]?key|private[-_.]?key|access[-_.]?key", re.I)
# Names of such things, and where they lie, are no secrets: PASSWORD_FILE, tokenExpirationSeconds; but REPORT_TOKEN is one.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NO_SECRET = frozenset(
    """
    name names username hostname filename file files path paths ref refs url urls uri uris host hosts port ports ttl
    expiry expires expiration enabled mount mounts
    """.split()
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_SHORTEST = 8
_MOST_VALUES = 5000


class Secrets:
    """Knows the secrets of one cluster, as far as it was shown them."""

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._by_length: list[str] | None = None
        self._names: set[str] = set()

    def learn(self, objects: Iterable[KubeObject]) -> None:
        """See objects before they are recorded: which names there are, and what Secrets hold."""
        objects = list(objects)
        for obj in objects:
            metadata = obj["metadata"]
            self._names.update((metadata["name"], metadata.get("namespace", ""), *(metadata.get("labels") or {}).values()))
        for obj in objects:
            if obj.get("kind") == "Secret":
                for value in _values_of(obj):
                    self._remember(value)

    def without(self, obj: KubeObject) -> KubeObject:
        """An object without what it keeps secret; a copy where there was something."""
        found: KubeObject = copied(obj)
        if found.get("kind") == "Secret":
            for part in ("data", "stringData"):
                if isinstance(found.get(part), dict):
                    found[part] = dict.fromkeys(found[part], HIDDEN)
            (found["metadata"].get("annotations") or {}).pop(_LAST_APPLIED, None)
        elif found.get("kind") == "ConfigMap" and isinstance(found.get("data"), dict):
            found["data"] = {key: self._value(key, value) for key, value in found["data"].items()}
        self._hide(found.get("spec"))
        annotations = found["metadata"].get("annotations") or {}
        for key, value in list(annotations.items()):
            if key == _LAST_APPLIED:
                annotations[key] = self._applied(value)
            else:
                annotations[key] = self._value(key, value)
        return found

    def text(self, text: str) -> str:
        """A text without the values that are known to be secret, and without private keys."""
        if "PRIVATE KEY" in text:
            text = _PRIVATE_KEY.sub(HIDDEN, text)
        if self._by_length is None:  # a secret may be a part of another one
            self._by_length = sorted(self._values, key=len, reverse=True)
        for value in self._by_length:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text

    def line(self, document: object) -> str:
        """A document as a line of JSON, without the values that are known to be secret."""
        return self.text(json.dumps(document, ensure_ascii=False, default=str))

    def _remember(self, value: str) -> None:
        value = value.strip()
        if len(value) < _SHORTEST or len(self._values) >= _MOST_VALUES or any(value in name for name in self._names):
            return
        self._by_length = None
        self._values[value] = None
        self._values[json.dumps(value, ensure_ascii=False)[1:-1]] = None
        self._values[base64.b64encode(value.encode()).decode()] = None

    def _applied(self, text: str) -> str:
        try:
            found = json.loads(text)
            return json.dumps(self.without(found), separators=(",", ":"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return HIDDEN

    def _value(self, key: str, value: Any) -> Any:
        if isinstance(value, str) and value and _is_secret(key):
            self._remember(value)
            return HIDDEN
        return value

    def _hide(self, part: Any) -> None:
        """Take out, in place, what the environment of containers calls secret."""
        if isinstance(part, dict):
            name, value = part.get("name"), part.get("value")
            if isinstance(name, str) and isinstance(value, str):
                part["value"] = self._value(name, value)
            for inner in part.values():
                self._hide(inner)
        elif isinstance(part, list):
            for inner in part:
                self._hide(inner)


def _is_secret(key: str) -> bool:
    """Whether a key calls its value a secret, and not where or what one is."""
    telling = list(_TELLING.finditer(key))
    if not telling:
        return False
    return not any(word.lower() in _NO_SECRET for word in _WORD.findall(key[telling[-1].end() :]))


def _values_of(secret: KubeObject) -> Iterable[str]:
    for value in (secret.get("data") or {}).values():
        try:
            yield base64.b64decode(str(value), validate=True).decode()
        except (binascii.Error, ValueError):  # bytes that no text shows
            continue
    yield from map(str, (secret.get("stringData") or {}).values())
