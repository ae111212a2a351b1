"""What users do, through the real program: run, resume, explain, report, compare, replay, score, submit."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
TRUTH = """\
groups:
  - {id: cart-deploy-1, kind: Deployment, namespace: shop, filter: ['cart\\b'], root_cause: true}
  - {id: front-svc-1, kind: Service, namespace: shop, filter: ['front\\b']}
propagations:
  - {source: cart-deploy-1, target: front-svc-1, condition: cart is down, effect: front fails}
"""
RIGHT = {
    "entities": [{"name": "shop/Deployment/cart", "contributing_factor": True, "reasoning": "", "evidence": ""}],
    "propagations": [{"source": "shop/Deployment/cart", "target": "shop/Service/front", "condition": "", "effect": ""}],
    "alerts_explained": [],
}


def itbench(*args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "160"}
    program = [sys.executable, "-m", "itbench.cli.main", *map(str, args)]
    return subprocess.run(program, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def ok(*args: object, cwd: Path, code: int = 0) -> str:
    result = itbench(*args, cwd=cwd)
    assert "Traceback" not in result.stderr
    assert result.returncode == code, result.stderr + result.stdout
    return result.stdout


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder to work in, with a dataset of two scenarios and an agent that answers right.

    It is not in /tmp: agents have one of their own, so that nothing there would be seen even if nothing was hidden.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="itbench-test-", dir=cache) as made:
        root = Path(made)
        for number in (1, 2):
            folder = root / "data" / f"Scenario-{number}"
            folder.mkdir(parents=True)
            (folder / "ground_truth.yaml").write_text(TRUTH)
            (folder / "k8s_events_raw.tsv").write_text("Timestamp\tBody\n")
        (root / "agents").mkdir()
        script(root / "agents/right.sh", f"#!/bin/sh\ncat > agent_output.json <<'E'\n{json.dumps(RIGHT)}\nE\n")
        yield root


def test_run_prints_one_json_object_in_the_agreed_form(home: Path) -> None:
    told = ok("run", "--dataset", "data", "--agent", "oracle", "--agent", "nop", "--out", "run", "--json", cwd=home)
    summary = json.loads(told)
    assert (summary["schema_version"], summary["run_dir"]) == (1, str(home / "run"))
    assert [agent["agent"] for agent in summary["agents"]] == ["oracle", "nop"]
    (sre,) = summary["agents"][0]["domains"]
    assert (sre["domain"], sre["scenarios"], sre["trials"], sre["scored"]) == ("sre", 2, 2, 2)
    assert sre["unscored"]["agent_timeout"] == 0
    assert sre["metrics"]["root_cause_entity_f1"] | {"stderr": 0} == {
        "mean": 1.0,
        "low": 1.0,
        "high": 1.0,
        "n": 2,
        "stderr": 0,
    }


def test_the_whole_journey_from_a_program_to_the_leaderboard(home: Path) -> None:
    scorecard = ok(
        "run", "--dataset", "data", "--agent", "mine=cmd:agents/right.sh", "--trials", 2, "--out", "one", cwd=home
    )
    assert "root cause recall" in scorecard
    assert re.search(r"root cause recall +│ +1\.00 │", scorecard)
    assert (home / "one/report.md").read_text().startswith("# Scorecard")
    explained = ok("explain", "one", "1/2", cwd=home)
    assert "✓ shop/Deployment/cart → cart-deploy-1: name equals cart" in explained
    assert re.search(r"Write SCENARIO, .* finished trial: 1", itbench("explain", "one", "7", cwd=home).stderr)
    ok("run", "--dataset", "data", "--agent", "nop", "--out", "two", cwd=home)
    compared = json.loads(ok("compare", "two", "one", "--json", cwd=home))
    assert compared["agents"][0]["domains"][0]["metrics"]["root_cause_entity_f1"]["difference"] == 1.0
    card = ["--name", "Mine", "--organisation", "Us", "--model", "none"]
    ok("submit", "build", "one", "--out", "mine.zip", *card, cwd=home)
    assert "Verified." in ok("submit", "verify", "mine.zip", "--dataset", "data", cwd=home)
    board = ok("leaderboard", "mine.zip", "--dataset", "data", "--markdown", "board.md", cwd=home)
    assert "verified" in board
    assert "| verified | Mine |" in (home / "board.md").read_text()


def test_outputs_of_a_run_score_the_same_by_themselves(home: Path) -> None:
    ok("run", "--dataset", "data", "--agent", "cmd:agents/right.sh", "--out", "run", cwd=home)
    ok("score", "--ground-truth", "data", "--outputs", "run/trials", "--domain", "sre", "--out", "out/e.json", cwd=home)
    public = json.loads((home / "out/e.json").read_text())
    assert public["statistics"]["overall"]["root_cause_entity_f1"] == {"mean": 1.0, "stderr": 0.0, "n_incidents": 2}
    assert public["raw_results"][0]["scores"]["root_cause_entity"]["predicted_entities"][0]["matched_to"] == "cart-deploy-1"
    ours = json.loads((home / "out/scores.json").read_text())
    assert ours["trials"][0]["outcome"]["status"] == "scored"


def test_score_keeps_every_bad_answer_and_says_so(home: Path) -> None:
    for number, text in enumerate((json.dumps(RIGHT), "no json", "[" * 100_000, '{"entities": NaN}'), start=1):
        (home / f"out/1/{number}").mkdir(parents=True)
        (home / f"out/1/{number}/agent_output.json").write_text(text)
    (home / "out/2/1").mkdir(parents=True)
    (home / "out/2/final").mkdir()
    told = ok("score", "-g", "data", "-o", "out", "--out", "e.json", cwd=home, code=1)
    public = json.loads((home / "e.json").read_text())
    assert [raw.get("outcome", "scored") for raw in public["raw_results"]] == [
        "scored",
        "output_invalid",
        "output_invalid",
        "output_invalid",
        "output_missing",
    ]
    assert public["statistics"]["overall"]["total_bad_runs"] == 4
    assert "1 places are passed over" in told


def test_the_public_file_is_never_overwritten_by_ours(home: Path) -> None:
    ok("run", "--dataset", "data", "--agent", "nop", "--out", "run", cwd=home)
    result = itbench("score", "-g", "data", "-o", "run/trials", "--out", "scores.json", cwd=home)
    assert result.returncode == 2
    assert "scores.json is the name of our own file" in result.stderr


def test_agents_cannot_write_to_the_terminal_through_their_words(home: Path) -> None:
    loud = {**RIGHT, "entities": [{"name": "shop/Pod/\u001b]0;OWN\u0007x", "contributing_factor": True}]}
    script(home / "agents/loud.sh", f"#!/bin/sh\necho '{json.dumps(loud)}' > agent_output.json\n")
    script(home / "agents/dying.sh", "#!/bin/sh\nprintf '\\033[2Jgone' >&2; exit 3\n")
    ok("run", "--dataset", "data", "--agent", "cmd:agents/loud.sh", "--out", "loud", cwd=home)
    assert "\\x1b]0;OWN\\x07x" in ok("explain", "loud", "1", cwd=home)
    result = itbench("run", "--dataset", "data", "--agent", "cmd:agents/dying.sh", "--out", "dying", cwd=home)
    assert "\\x1b[2Jgone" in result.stderr
    assert "\x1b" not in result.stdout + result.stderr


def test_runs_under_different_rules_are_compared_with_a_note(home: Path) -> None:
    for policy in ("reference", "strict"):
        ok("run", "--dataset", "data", "--agent", "oracle", "--policy", policy, "--out", policy, cwd=home)
    result = itbench("compare", "reference", "strict", cwd=home)
    assert result.returncode == 0
    assert "note: the matching policy differs: reference before, strict after" in result.stderr


def test_runs_without_common_ground_are_not_compared(home: Path) -> None:
    ok("run", "--dataset", "data", "--agent", "oracle", "--scenario", "1", "--out", "one", cwd=home)
    ok("run", "--dataset", "data", "--agent", "oracle", "--scenario", "2", "--out", "two", cwd=home)
    assert itbench("compare", "one", "two", cwd=home).returncode == 1


def test_a_killed_run_loses_no_scored_trial(home: Path) -> None:
    script(home / "agents/slow.sh", f"#!/bin/sh\nsleep 0.3\necho '{json.dumps(RIGHT)}' > agent_output.json\n")
    command = [sys.executable, "-m", "itbench.cli.main", "run", "--dataset", "data", "--agent", "cmd:agents/slow.sh"]
    process = subprocess.Popen(
        [*command, "--trials", "5", "--out", "run"], cwd=home, start_new_session=True, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while len(list(home.glob("run/trials/*/*/result.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {path: path.read_bytes() for path in home.glob("run/trials/*/*/result.json")}
    assert 2 <= len(before) < 10
    summary = json.loads(ok("resume", "run", "--json", cwd=home))
    assert summary["agents"][0]["domains"][0]["scored"] == 10
    assert {path: path.read_bytes() for path in before} == before


def test_ctrl_c_once_finishes_running_trials_and_exits_1(home: Path) -> None:
    script(home / "agents/slow.sh", f"#!/bin/sh\nsleep 0.5\necho '{json.dumps(RIGHT)}' > agent_output.json\n")
    command = [sys.executable, "-m", "itbench.cli.main", "run", "--dataset", "data", "--agent", "cmd:agents/slow.sh"]
    process = subprocess.Popen(
        [*command, "--trials", "20", "--out", "run"], cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(home.glob("run/trials/*/*/result.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "finishing the running trials" in told
    assert "itbench resume run" in told
    causes = {json.loads(path.read_text())["outcome"]["cause"] for path in home.glob("run/trials/*/*/result.json")}
    assert causes == {None}


def test_a_changed_agent_is_not_resumed(home: Path) -> None:
    ok("run", "--dataset", "data", "--agent", "cmd:agents/right.sh", "--out", "run", cwd=home)
    (home / "agents/right.sh").write_text("#!/bin/sh\n")
    result = itbench("resume", "run", cwd=home)
    assert result.returncode == 2
    assert "agent cmd:right: " in result.stderr
    assert "changed" in result.stderr


def test_hostile_agents_see_no_answer_and_leave_no_trace(home: Path) -> None:
    script(
        home / "agents/evil.sh",
        f"""#!/bin/bash
        for place in {home}/data {home}/run /proc/$PPID/root{home}/data /proc/*/cwd; do grep -rsl cart-deploy-1 $place; done
        touch {home}/data/mark {home}/agents/mark; rm -rf "$SNAPSHOT_DIR"/* 2>/dev/null
        (setsid sleep 4242 &) ; yes | head -c 30000000; ln -s {home}/data/Scenario-1/ground_truth.yaml agent_output.json
        sleep 4242
        """,
    )
    limits = ["--timeout", "3s", "--scenario", "1"]
    told = json.loads(
        ok("run", "--dataset", "data", "--agent", "cmd:agents/evil.sh", *limits, "--out", "run", "--json", cwd=home, code=1)
    )
    assert told["agents"][0]["domains"][0]["unscored"]["agent_timeout"] == 1
    assert "Scenario" not in (home / "run/trials/1/1/stdout.txt").read_text()[:1000]
    assert not (home / "agents/mark").exists()
    assert not (home / "data/mark").exists()
    assert (home / "data/Scenario-1/k8s_events_raw.tsv").read_text() == "Timestamp\tBody\n"
    assert not subprocess.run(["pgrep", "-f", "sleep 4242"], capture_output=True, check=False).stdout
    assert sum(path.stat().st_size for path in (home / "run").rglob("*") if path.is_file()) < 12_000_000
    assert json.loads((home / "run/isolation.json").read_text())["mode"] in ("bubblewrap", "landlock")


def test_without_a_sandbox_the_scorecard_says_so(home: Path) -> None:
    run = ["run", "--dataset", "data", "--agent", "cmd:agents/right.sh", "--isolation", "none", "--out", "run"]
    assert "right ran without a sandbox" in ok(*run, cwd=home)
    assert json.loads((home / "run/isolation.json").read_text())["mode"] == "none"


def test_an_agent_that_lies_in_the_dataset_is_refused_with_the_reason(home: Path) -> None:
    script(home / "data/agent.sh", "#!/bin/sh\n")
    result = itbench("run", "--dataset", "data", "--agent", "cmd:data/agent.sh", "--out", "run", cwd=home)
    assert result.returncode == 2
    assert "could not see its own files" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run", "--dataset", "nowhere", "--agent", "nop"], "no such folder"),
        (["run", "--agent", "nop"], "--suite NAME, --dataset PATH, or --scenario ID"),
        (["run", "--dataset", "data"], "Missing option '--agent'"),
        (["run", "--dataset", "data", "--agent", "nop", "--timeout", "soon"], "not a duration"),
        (["run", "--dataset", "data", "--agent", "nop", "--trials", "-3"], "not in the range"),
        (["run", "--dataset", "data", "--agent", "nop", "--env", "kind"], "can be played live"),
        (["run", "--dataset", "data", "--agent", "nop", "--out", "data"], "not empty"),
        (["run", "--suite", "nosuch", "--agent", "nop"], "no suite 'nosuch'"),
        (["run", "--suite", "starter", "--scenario", "nobody-at-the-tell", "--agent", "nop"], "mean 'nobody-at-the-till'"),
        (["run", "--dataset", "data", "--agent", "orcale"], "Did you mean 'oracle'"),
        (["resume", "agents"], "not a run folder"),
        (["report", "agents"], "not a run folder"),
        (["explain", "agents", "1"], "not a run folder"),
        (["compare", "agents", "agents"], "not a run folder"),
        (["score", "-g", "data", "-o", "nowhere"], "no such folder"),
        (["score", "-g", "agents", "-o", "data"], "scenario"),
        (["score", "-g", "data", "-o", "data", "-d", "ciso"], "no ciso scenario"),
        (["dataset", "validate", "agents"], "no scenario found"),
        (["submit", "verify", "agents/right.sh"], "right.sh"),
        (["schema", "nosuch"], "no schema 'nosuch'"),
    ],
)
def test_bad_input_gets_one_message(home: Path, args: list[str], message: str) -> None:
    result = itbench(*args, cwd=home)
    assert result.returncode in (1, 2)
    assert re.search(message, result.stderr), result.stderr
    assert "Traceback" not in result.stderr
    assert "defect" not in result.stderr


def test_a_recorded_llm_run_can_be_replayed_and_resumed_without_server_and_key(home: Path) -> None:
    """The journey of docs/llm-agent.md, with a server that answers at once."""
    import http.server
    import threading

    message = {"role": "assistant", "content": json.dumps(RIGHT)}
    reply = json.dumps({"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

    def llm(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
        program = [sys.executable, "-m", "itbench.cli.main", *map(str, args)]
        environment = clean | environment
        return subprocess.run(program, cwd=home, env=environment, capture_output=True, text=True, timeout=120, check=False)

    question = ("run", "--dataset", "data", "--agent", "llm:some/model?turns=4", "--json")
    refused = llm(*question, "--out", "none")
    assert refused.returncode == 2
    assert "llm: agents need OPENAI_API_KEY" in refused.stderr
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        keys = {"OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1", "OPENAI_API_KEY": "sk-journey-123456"}
        recorded = llm(*question, "--record", "tape", "--out", "first", **keys)
        server.shutdown()
    assert recorded.returncode == 0, recorded.stderr
    replayed = llm(*question, "--replay", "tape", "--out", "second")
    assert replayed.returncode == 0, replayed.stderr
    answers = [sorted((home / run).rglob("agent_output.json")) for run in ("first", "second")]
    assert [path.read_bytes() for path in answers[0]] == [path.read_bytes() for path in answers[1]]
    assert len(answers[0]) == 2
    assert not any("sk-journey" in path.read_text() for path in home.rglob("*") if path.is_file())

    for trial in (home / "second" / "trials").iterdir():
        (trial / "1" / "result.json").unlink()
    resumed = llm("resume", "second", "--json")  # it still answers from the tape
    assert resumed.returncode == 0, resumed.stderr
    next((home / "tape").rglob("*.json")).write_text("{}")
    changed = llm("resume", "second")
    assert changed.returncode == 2
    assert "what it depends on has changed" in changed.stderr

    for options, told in (
        (("--record", "a", "--replay", "tape"), "either records or replays"),
        (("--replay", "nowhere"), "no such folder to replay"),
        (("--replay", "data"), "nothing was recorded of an agent"),
    ):
        assert told in llm(*question, *options, "--out", "none").stderr
    assert (
        "only llm: agents can" in llm("run", "--dataset", "data", "--agent", "nop", "--record", "a", "--out", "none").stderr
    )
