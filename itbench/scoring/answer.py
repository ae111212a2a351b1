"""Read what an agent answered: agent_output.json of the SRE and FinOps domains, without trusting a byte of it.

An answer is read, read with listed repairs and notes, or refused with the problem; never guessed at, never an exception.
"""

from __future__ import annotations

from itbench.model.base import Domain, Model
from itbench.model.diagnosis import CostDiagnosis, Diagnosis
from itbench.scoring.answer_cost import read_cost_diagnosis
from itbench.scoring.answer_notes import Notes
from itbench.scoring.answer_sre import read_diagnosis
from itbench.scoring.answer_text import read_json_answer
from itbench.scoring.strict_json import JsonError

DEFAULT_LIMIT = 5_000_000


class Answer(Model):
    """What was read. `problem` says why `diagnosis` is None; `notes` say what was assumed or left out.

    `repairs` are the changes to the text that made it JSON.
    """

    diagnosis: Diagnosis | CostDiagnosis | None = None
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str | None = None


def read_answer(raw: bytes, domain: Domain, *, limit: int = DEFAULT_LIMIT) -> Answer:
    """Read an answer of at most `limit` bytes. Never raises for what the bytes are.

    Raises:
        ValueError: answers of the domain are not JSON (CISO answers are folders of files).
    """
    if domain == "ciso":
        raise ValueError("a CISO answer is a folder of files, not JSON")
    if len(raw) > limit:
        return Answer(problem=f"{len(raw):,} bytes, at most {limit:,} are read")
    notes = Notes()
    repairs: tuple[str, ...] = ()
    try:
        parsed = read_json_answer(raw)
        repairs = parsed.repairs
        for key in parsed.repeated_keys:
            notes.add("answer", "an object has a key several times, the last one counts", key)
        if not isinstance(parsed.value, dict):
            raise JsonError("an answer is a JSON object")
        read = read_diagnosis if domain == "sre" else read_cost_diagnosis
        diagnosis = read(parsed.value, notes)
    except JsonError as error:
        where = "" if error.line is None else f"line {error.line}: "
        return Answer(repairs=repairs, notes=notes.lines(), problem=where + error.message)
    return Answer(diagnosis=diagnosis, repairs=repairs, notes=notes.lines())
