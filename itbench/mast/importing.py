"""Write traces as normalised trajectories, one folder each."""

from __future__ import annotations

import json
from pathlib import Path

from itbench.mast.reading import ANSWER, INFO, TRAJECTORY, Notes, read_traces
from itbench.mast.taxonomy import translate
from itbench.mast.trace import Trace
from itbench.model.errors import DatasetError, UnwritableError
from itbench.model.mast import Taxonomy

LABELS = "labels.json"


def import_traces(path: Path, out: Path | None, taxonomy: Taxonomy) -> Notes:
    """Read all traces of a path, and write them below `out` if it is given.

    Each goes to `out/<trace>/`: trajectory.json (ATIF), trace.json, and agent_output.json where there is an answer. Labels
    that the source has go to `out/labels.json`, in the form that `mast agree` reads.

    Raises:
        UsageError: nothing to read.
        UnwritableError: `out` is not empty, or cannot be written.
    """
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UnwritableError("this is there already", path=out, hint="Give a new or an empty folder")
    notes = Notes()
    for trace in read_traces(path, notes):
        if out is not None:
            _write(out, trace)
    if out is not None and notes.labelled:
        _write_labels(out, notes, taxonomy)
    return notes


def _write(out: Path, trace: Trace) -> None:
    folder = out / trace.info.trace
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / TRAJECTORY).write_bytes(trace.trajectory.model_dump_json(exclude_none=True).encode("utf-8", "replace"))
        if trace.output is not None:
            (folder / ANSWER).write_text(trace.output, encoding="utf-8")
        (folder / INFO).write_text(trace.info.model_dump_json(indent=1), encoding="utf-8")
    except OSError as error:
        raise UnwritableError(f"cannot be written ({error.strerror})", path=folder) from error


def _write_labels(out: Path, notes: Notes, taxonomy: Taxonomy) -> None:
    rows = []
    for trace, session in notes.labelled:
        for given in session.labels:
            try:
                known = translate(taxonomy, given.label, session.label_set)
            except DatasetError as error:
                notes.problem(f"{trace}: {error}; the label was left out")
                continue
            if known.code is not None:
                verdict = "present" if given.present else "absent"
                rows.append({"trace": trace, "code": known.code, "verdict": verdict, "annotator": given.annotator})
    document = {"schema_version": 1, "taxonomy": taxonomy.version, "labels": rows}
    (out / LABELS).write_text(json.dumps(document, indent=1), encoding="utf-8")
