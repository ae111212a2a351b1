"""What real traces get wrong: said, survived, and never read as absent."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from itbench.cli.main import main
from itbench.mast.annotate import annotate_trace
from itbench.mast.detectors import DETECTORS
from itbench.mast.reading import Notes, read_traces
from itbench.mast.taxonomy import load_taxonomy

V3 = load_taxonomy()


def line(kind: str, at: str = "2026-01-01T00:00:00Z", **payload: object) -> str:
    return json.dumps({"timestamp": at, "type": kind, "payload": payload})


def say(text: str, role: str = "assistant", **more: str) -> str:
    return line("response_item", type="message", role=role, content=[{"type": "output_text", "text": text}], **more)


META = line("session_meta", id="x", cwd="/w", originator="codex_exec", cli_version="0.76.0", instructions=None)


def session(folder: Path, *lines: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    raw = b"\n".join(each if isinstance(each, bytes) else each.encode() for each in lines)
    (folder / "session.jsonl").write_bytes(raw + b"\n")
    return folder


def verdicts(path: Path) -> tuple[dict[str, str], Notes]:
    notes = Notes()
    (trace,) = read_traces(path, notes)
    return {each.code: each.verdict for each in annotate_trace(trace, V3).annotations}, notes


def test_an_empty_trace_is_unknown_in_every_mode(tmp_path):
    found, _ = verdicts(session(tmp_path / "s", META, say("Find it.", "user")))
    assert set(found.values()) == {"unknown"}


def test_an_empty_file_is_said_so(tmp_path):
    (tmp_path / "session.jsonl").write_bytes(b"")
    result = CliRunner().invoke(main, ["mast", "annotate", str(tmp_path)])
    assert result.exit_code == 2
    assert "no trace was found" in result.output


def test_without_tool_calls_nothing_is_called_repeated_or_derailed(tmp_path):
    found, _ = verdicts(session(tmp_path / "s", META, say("Find it.", "user"), say("It is the cart.")))
    assert {found[code] for code in ("1.3", "2.3", "2.6", "3.2")} == {"unknown"}


def test_unknown_records_and_binary_lines_are_counted_and_the_rest_is_read(tmp_path):
    odd = (line("telepathy", thought=1), b"\x00\xff\xfe\x80" * 20, b"{broken", say("It is the cart."))
    found, notes = verdicts(session(tmp_path / "s", META, say("Find it.", "user"), *odd))
    assert notes.malformed == 2
    assert all("session.jsonl:" in each for each in notes.problems)
    assert found["1.3"] == "unknown"


def test_binary_output_of_a_tool_is_text_like_any_other(tmp_path):
    call = line("response_item", type="function_call", name="shell", arguments='{"command": ["cat", "x"]}', call_id="c")
    output = json.dumps({"output": "\x00\x1b[31m\ufffd" * 1000, "metadata": {"exit_code": 0}})
    result = line("response_item", type="function_call_output", call_id="c", output=output)
    found, _ = verdicts(session(tmp_path / "s", META, say("Find it.", "user"), call, result))
    assert tuple(found) == V3.codes


def test_of_a_step_of_a_hundred_megabytes_the_start_is_read_and_that_is_said(tmp_path):
    session(tmp_path / "s", META, say("Find it.", "user"), say("It is the cart. " + "word " * 20_000_000), say("Done."))
    result = CliRunner().invoke(main, ["mast", "annotate", str(tmp_path), "--json"])
    assert result.exit_code == 0
    (found,) = json.loads(result.stdout)["traces"]
    assert tuple(each["code"] for each in found["annotations"]) == V3.codes
    assert re.search(r"s/session\.jsonl:3: 100,000,\d+ bytes: of each text in it no more than 1,000,000", result.stderr)


def test_clocks_that_go_backwards_change_no_order(tmp_path):
    late = line("response_item", "2027-01-01T00:00:00Z", type="message", role="user", content=[{"text": "Find it."}])
    early = line("response_item", "2020-01-01T00:00:00Z", type="message", role="assistant", content=[{"text": "Cart."}])
    notes = Notes()
    (trace,) = read_traces(session(tmp_path / "s", META, late, early), notes)
    assert [step.source for step in trace.trajectory.steps] == ["user", "agent"]


def test_parents_in_a_circle_do_not_hang(tmp_path):
    rows = [
        {
            "type": "user",
            "uuid": "a",
            "parentUuid": "b",
            "sessionId": "s",
            "message": {"role": "user", "content": "Find it."},
        },
        {
            "type": "assistant",
            "uuid": "b",
            "parentUuid": "a",
            "sessionId": "s",
            "message": {"role": "assistant", "model": "m", "content": [{"type": "text", "text": "Cart."}]},
        },
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found, _ = verdicts(tmp_path)
    assert tuple(found) == V3.codes


def test_two_versions_of_the_taxonomy_are_not_mixed(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"taxonomy": "mast-v3", "labels": []}))
    (tmp_path / "b.json").write_text(json.dumps({"taxonomy": "mast-v2", "labels": []}))
    result = CliRunner().invoke(main, ["mast", "agree", str(tmp_path / "b.json"), str(tmp_path / "a.json")])
    assert result.exit_code == 2
    assert "taxonomy 'mast-v2'" in result.output


@pytest.mark.parametrize(("code", "verdict"), [("9.9", "present"), ("1.3", "perhaps")])
def test_labels_outside_the_set_are_refused_with_their_line(tmp_path, code, verdict):
    (tmp_path / "l.csv").write_text(f"trace,code,verdict,annotator\nt,{code},{verdict},anna\n")
    result = CliRunner().invoke(main, ["mast", "agree", str(tmp_path / "l.csv")])
    assert result.exit_code == 2
    assert "l.csv:2" in result.output


def test_every_rule_survives_an_empty_view(tmp_path):
    notes = Notes()
    (trace,) = read_traces(session(tmp_path / "s", META, say("x")), notes)
    assert len(annotate_trace(trace, V3, DETECTORS).annotations) == 14
