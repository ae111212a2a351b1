"""Keep keys out of everything that is written: servers echo them in error messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Shorter ones are placeholders of local servers ("none", "EMPTY"): taking them out would garble texts.
_SHORTEST = 8
_HIDDEN = "[key]"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces secrets in texts."""

    secrets: tuple[str, ...] = ()

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], names: tuple[str, ...]) -> Redactor:
        """For the values of these variables."""
        return cls.of_secrets(environment.get(name, "") for name in names)

    @classmethod
    def of_secrets(cls, secrets: Iterable[str]) -> Redactor:
        """For these values; what is too short to be a secret is left alone."""
        values = set(secrets)
        return cls(tuple(sorted((value for value in values if len(value) >= _SHORTEST), key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, _HIDDEN)
        return text
