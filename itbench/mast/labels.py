"""Labels of any annotator, from CSV, JSON, or what `mast annotate --json` printed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itbench.datasets.files import read_bytes
from itbench.datasets.source import Source, parse_source
from itbench.mast.taxonomy import translate
from itbench.model.errors import DatasetError
from itbench.model.mast import VERDICTS, Taxonomy, Verdict

_LARGEST = 500_000_000
_COLUMNS = ("trace", "code", "verdict", "annotator")
_WORDS = {"1": "present", "0": "absent", "yes": "present", "no": "absent", "true": "present", "false": "absent"}
_WORDS |= {
    "n/a": "not_applicable",
    "na": "not_applicable",
    "not applicable": "not_applicable",
    "": "unknown",
    "?": "unknown",
}
_HINT = f"A label has {', '.join(_COLUMNS)}; verdicts are {', '.join(VERDICTS)}, or 1 and 0, yes and no"


@dataclass(frozen=True, slots=True)
class Label:
    """What one annotator says of one mode in one trace; `code` is the taxonomy's."""

    trace: str
    code: str
    verdict: Verdict
    annotator: str


def read_labels(path: Path, taxonomy: Taxonomy, label_set: str | None = None) -> tuple[Label, ...]:
    """The labels of a file.

    Args:
        path: `.csv` with a header, or JSON: a list of labels, `{"labels": […]}`, or what `mast annotate --json` prints.
        taxonomy: the version that the labels are of. A file that names another one is refused.
        label_set: whose codes or names they are, where they are not the taxonomy's.

    Raises:
        DatasetError: the file cannot be read, or a label in it is wrong; with its line or key.
    """
    raw = read_bytes(path, _LARGEST)
    rows = _from_csv(raw, path) if path.suffix.lower() == ".csv" else _from_json(raw, path, taxonomy)
    labels = [label for where, row in rows if (label := _label(row, where, path, taxonomy, label_set)) is not None]
    if not labels:
        raise DatasetError("there is no label in this file", path=path, hint=_HINT)
    return tuple(labels)


def _from_csv(raw: bytes, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise DatasetError(f"the header lacks {missing[0]!r}", path=path, line=1, hint=_HINT)
        for row in reader:
            yield reader.line_num, row
    except UnicodeDecodeError:
        raise DatasetError("not UTF-8 text", path=path) from None
    except csv.Error as error:
        raise DatasetError(f"this is no CSV: {error}", path=path) from None


def _from_json(raw: bytes, path: Path, taxonomy: Taxonomy) -> Iterator[tuple[int, Mapping[str, Any]]]:
    source = parse_source(raw, path, is_json=True)
    value: Any = source.value
    if isinstance(value, dict):
        version = value.get("taxonomy", taxonomy.version)
        if version != taxonomy.version:
            raise DatasetError(
                f"these labels are of the taxonomy {version!r}, not of {taxonomy.version!r}",
                path=path,
                key="taxonomy",
                hint="Labels of two versions cannot be held against each other",
            )
        if isinstance(value.get("traces"), list):
            yield from _from_annotations(value["traces"], source)
            return
        value = value.get("labels")
    if not isinstance(value, list):
        raise DatasetError("expected a list of labels", path=path, line=1, hint=_HINT)
    prefix = ("labels",) if isinstance(source.value, dict) else ()
    for number, row in enumerate(value):
        yield source.line((*prefix, number)), row


def _from_annotations(traces: list[Any], source: Source) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, trace in enumerate(traces):
        line = source.line(("traces", number))
        for row in trace.get("annotations", ()) if isinstance(trace, dict) else ():
            yield line, {**row, "trace": trace.get("trace")} if isinstance(row, dict) else {}


def _label(row: object, line: int, path: Path, taxonomy: Taxonomy, label_set: str | None) -> Label | None:
    fields: Mapping[str, Any] = row if isinstance(row, dict) else {}
    missing = [name for name in _COLUMNS if fields.get(name) is None]
    if missing:
        raise DatasetError(f"this label has no {missing[0]}", path=path, line=line, hint=_HINT)
    given = str(fields["verdict"]).strip().lower()
    verdict = _WORDS.get(given, given)
    if verdict not in VERDICTS:
        raise DatasetError(f"{given[:40]!r} is no verdict", path=path, line=line, key="verdict", hint=_HINT)
    try:
        known = translate(taxonomy, str(fields["code"]), label_set)
    except DatasetError as error:
        raise DatasetError(error.message, path=path, line=line, key="code", hint=error.hint) from None
    if known.code is None:
        return None
    return Label(str(fields["trace"]), known.code, verdict, str(fields["annotator"]))
