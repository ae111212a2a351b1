"""The versions of the taxonomy that ship with itbench, and the labels of others."""

from __future__ import annotations

import re
from pathlib import Path

from itbench.bundled import bundled
from itbench.datasets.shipped import read_shipped
from itbench.model.errors import DatasetError, UsageError
from itbench.model.mast import ForeignLabel, Taxonomy

DEFAULT = "mast-v3"


def versions() -> tuple[str, ...]:
    """The names of the versions that ship."""
    return tuple(sorted(path.stem for path in (bundled("evaluators") / "mast").glob("*.yaml")))


def load_taxonomy(version: str = DEFAULT) -> Taxonomy:
    """A version by its name, or any taxonomy by the path of its file.

    Raises:
        UsageError: there is no such version.
        DatasetError: the file is wrong; with line and key.
    """
    if version in versions():
        return read_taxonomy(bundled("evaluators") / "mast" / f"{version}.yaml")
    if Path(version).is_file():
        return read_taxonomy(Path(version))
    raise UsageError(f"there is no taxonomy {version!r}", hint=f"Known: {', '.join(versions())}; or give a path")


def read_taxonomy(path: Path) -> Taxonomy:
    """The taxonomy in a file.

    Raises:
        DatasetError: the file cannot be read, or breaks the schema; with line and key.
    """
    return read_shipped(path, Taxonomy, "evaluators/mast/mast-v3.yaml is an example")


def translate(taxonomy: Taxonomy, label: str, label_set: str | None = None) -> ForeignLabel:
    """The mode that a label stands for: a code (`3.2`), an id, a name, or a code with a name after it.

    Args:
        taxonomy: the version to translate into.
        label: as it is written; case and punctuation of names do not matter.
        label_set: whose label it is; the taxonomy's own if not given.

    Raises:
        DatasetError: neither the taxonomy nor the set knows it.
    """
    code, name = _split(label)
    if label_set is not None:
        if label_set not in taxonomy.label_sets:
            known = ", ".join(taxonomy.label_sets)
            raise DatasetError(f"the taxonomy {taxonomy.version} has no label set {label_set!r}", hint=f"Known: {known}")
        labels = taxonomy.label_sets[label_set]
        for each in labels.labels:
            matched = each.label == code if labels.keyed_by == "code" else _begins(name, each.name)
            if matched:
                return each
        if labels.keyed_by == "name":
            code = ""  # their codes mean other things: the name alone may tell
    for mode in taxonomy.modes:
        if mode.code == code or label == mode.id or (not code and name and _plain(mode.name) == _plain(name)):
            return ForeignLabel(label=code or None, name=mode.name, code=mode.code, certain=True)
    where = f"the label set {label_set}" if label_set else f"the taxonomy {taxonomy.version}"
    raise DatasetError(f"{where} has no label {label[:80]!r}", hint=f"Codes: {', '.join(taxonomy.codes)}")


def _split(label: str) -> tuple[str, str]:
    first = label.strip().split("\n", 1)[0]
    match = re.match(r"(\d+\.\d+)?[\s:.)-]*(.*)", first)
    return (match[1] or "", match[2].strip()) if match else ("", first)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def _begins(name: str, known: str) -> bool:
    """Their names are sometimes cut, and sometimes go on with an explanation."""
    one, other = _plain(name), _plain(known)
    return bool(one) and (one.startswith(other) or (len(one) > 12 and other.startswith(one)))
