"""Read organisations and price lists. What is wrong with a file is one message with file, line and key."""

from __future__ import annotations

from pathlib import Path

from itbench.bundled import bundled
from itbench.datasets.findings import dotted
from itbench.datasets.shipped import read_shipped
from itbench.datasets.source import read_source
from itbench.model.errors import DatasetError
from itbench.twin.cost.organisation import Organisation, PriceList

_HINT = "See docs/finops-twin.md"


def organisation_names() -> list[str]:
    """The organisations that ship with itbench, sorted."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def organisation_file(name: str, beside: Path) -> Path | None:
    """The file of an organisation that is named by a path, from `beside` on; None for one that ships with itbench."""
    return beside / name if "/" in name or name.endswith((".yaml", ".yml")) else None


def load_organisation(path_or_name: Path | str) -> Organisation:
    """The organisation of that name, or in that file.

    Raises:
        DatasetError: there is none, or its file is wrong; with path, line and key.
    """
    if isinstance(path_or_name, str) and path_or_name not in organisation_names():
        raise DatasetError(
            f"there is no organisation {path_or_name!r}", hint=f"Known: {', '.join(organisation_names())}; or give a file"
        )
    path = path_or_name if isinstance(path_or_name, Path) else _folder() / f"{path_or_name}.yaml"
    organisation = read_shipped(path, Organisation, _HINT)
    problems = organisation.problems(load_prices())
    if problems:
        key, message = problems[0]
        raise DatasetError(message, path=path, line=read_source(path).line(key), key=dotted(key), hint=_HINT)
    return organisation


def load_prices() -> PriceList:
    """The price list that ships with itbench.

    Raises:
        DatasetError: it is wrong; with path, line and key.
    """
    return read_shipped(bundled("environments") / "prices.yaml", PriceList, _HINT)


def _folder() -> Path:
    return bundled("environments") / "organisations"
