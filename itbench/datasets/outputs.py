"""Find agent answers by the public evaluator's folder conventions.

`<outputs>/<incident>/<trial>/{outputs/,}{agent_output.json|agent_response.json}`, where incident 12 may be spelled `12`,
`Scenario-12`, `incident_12`, … and trials are numbers. A CISO answer is a folder of files, or these packed
into an agent_output.json.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from itbench.datasets.ids import canonical_id, natural_key
from itbench.model.base import Domain
from itbench.model.errors import DatasetError

ANSWER_FILES = ("agent_output.json", "agent_response.json")
CISO_FILES = ("policy.rego", "policy.yaml", "fetch.sh", "playbook.yml")


@dataclass(frozen=True, slots=True)
class FoundOutput:
    """One trial. `path` is its answer file (CISO: folder), None if there is none; then `note` says what was looked for.

    What lies at `path` need not be a regular file: `itbench.sandbox.output.read_output` refuses anything else.
    """

    incident: str
    trial: str
    path: Path | None
    note: str = ""


def find_outputs(path: Path, domain: Domain = "sre") -> tuple[FoundOutput, ...]:
    """Every trial below `path`, in natural order of incident and trial; also trials without an answer.

    Links to folders are never followed, so an answer cannot stand for a file elsewhere.

    Raises:
        DatasetError: the folder is missing, or two folders hold the same trial.
    """
    if not path.is_dir():
        raise DatasetError("there is no such folder of outputs", path=path)
    trials: dict[tuple[str, str], Path] = {}
    for incident in _folders(path):
        for trial in filter(_is_trial, _folders(incident)):
            key = canonical_id(incident.name), str(int(trial.name))
            if key in trials:
                raise DatasetError(
                    f"trial {key[1]} of incident {key[0]} is also in {trials[key]}", path=trial, hint="Remove one of them"
                )
            trials[key] = trial
    find = _ciso_folder if domain == "ciso" else _answer_file
    order = sorted(trials, key=lambda key: (natural_key(key[0]), int(key[1])))
    return tuple(FoundOutput(incident, trial, *find(trials[incident, trial])) for incident, trial in order)


def passed_over(path: Path) -> tuple[Path, ...]:
    """What `find_outputs` leaves out although it may be meant as an answer, in natural order.

    That is folders of an incident whose name is no number, links to folders, and answers that lie in no trial.

    Raises:
        DatasetError: a folder cannot be listed.
    """
    incidents = _folders(path)
    strays = [stray for folder in (path, *incidents) for stray in _strays(folder)]
    unnumbered = [folder for incident in incidents for folder in _folders(incident) if not _is_trial(folder)]
    return tuple(sorted((*strays, *unnumbered), key=lambda place: natural_key(str(place))))


def _is_trial(folder: Path) -> bool:
    return folder.name.isascii() and folder.name.isdigit()


def _folders(path: Path) -> list[Path]:
    return [path / entry.name for entry in _entries(path) if entry.is_dir(follow_symlinks=False)]


def _strays(path: Path) -> list[Path]:
    """Answers, and links to folders, directly in a folder that holds folders."""
    return [path / entry.name for entry in _entries(path) if entry.name in ANSWER_FILES or _links_to_folder(entry)]


def _links_to_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and os.path.isdir(entry)  # noqa: PTH112 - Path.is_dir raises where a link leads to a forbidden place


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: natural_key(entry.name))
    except OSError as error:
        raise DatasetError(f"cannot list this folder ({error.strerror})", path=path) from error


def _answer_file(trial: Path) -> tuple[Path | None, str]:
    """The reference looks into `outputs/` first."""
    for folder in _places(trial):
        for name in ANSWER_FILES:
            candidate = folder / name
            if os.path.lexists(candidate):
                return candidate, ""
    return None, f"no {ANSWER_FILES[0]}"


def _ciso_folder(trial: Path) -> tuple[Path | None, str]:
    for folder in _places(trial):
        if any((folder / name).is_file() and not (folder / name).is_symlink() for name in CISO_FILES):
            return folder, ""
    packed, _ = _answer_file(trial)
    return (packed, "") if packed else (None, f"none of {', '.join(CISO_FILES)}")


def _places(trial: Path) -> tuple[Path, ...]:
    inner = trial / "outputs"
    return (inner, trial) if inner.is_dir() and not inner.is_symlink() else (trial,)
