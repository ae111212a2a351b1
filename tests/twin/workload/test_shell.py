from __future__ import annotations

import math

import pytest

from itbench.twin.workload.shell import run_command, run_script


@pytest.mark.parametrize(
    ("script", "code", "seconds", "output"),
    [
        ("echo cannot open schema; exit 3", 3, 0, ["cannot open schema"]),
        ("sleep 2 && sleep 1m; true", 0, 62, []),
        ("false || echo saved", 0, 0, ["saved"]),
        ("false && echo never", 1, 0, []),
        ("nosuch --flag", 127, 0, ["sh: 1: nosuch: not found"]),
        ("cat /etc/gone", 1, 0, ["cat: /etc/gone: No such file or directory"]),
        ("touch /tmp/a; test -f /tmp/a && exit 7", 7, 0, []),
        ("[ -f /tmp/a ]", 1, 0, []),
        ("[ $MODE = fast ] && exit 4", 4, 0, []),
        ("echo a > /dev/null", 0, 0, []),
        ("while true; do echo tick; sleep 1; done", 0, math.inf, ["tick"]),
        ("until nslookup db; do sleep 2; done; echo up", 0, math.inf, []),
        ("for i in 1 2; do exit 9; done", 9, 0, []),
        ("echo start\nexec sleep infinity", 0, math.inf, ["start"]),
        ("echo 'unclosed", 2, 0, ["sh: 1: Syntax error: Unterminated quoted string"]),
        ("", 0, 0, []),
    ],
)
def test_what_a_script_does(script: str, code: int, seconds: float, output: list[str]) -> None:
    run = run_script(script, {"MODE": "fast"})
    assert (run.code, run.seconds, [line for _, line in run.output]) == (code, seconds, output)


def test_files_come_and_go_with_time() -> None:
    run = run_script("touch /tmp/ok; sleep 30; rm -f /tmp/ok; sleep 100", {})
    assert [run.has("/tmp/ok", second) for second in (0, 29, 31)] == [True, True, False]
    assert run_command(["cat", "/tmp/ok"], {}, run, 10).code == 0
    assert run_command(["cat", "/tmp/ok"], {}, run, 40).code == 1


def test_exec_hands_over_to_a_program() -> None:
    assert run_script("sleep 3; exec web --port 1", {}).becomes == "web"


def test_output_has_its_time() -> None:
    assert run_script("echo a; sleep 5; echo b", {}).output == [(0, "a"), (5, "b")]


def test_a_mounted_file_is_read_checked_and_run() -> None:
    files = {"/etc/app/good.json": '{"a": 1}', "/etc/app/bad.json": '{"a": 1,}', "/opt/run.sh": "echo up; exit 4"}
    assert run_command(["python3", "-m", "json.tool", "/etc/app/good.json"], {}, files=files).code == 0
    broken = run_script("jq . /etc/app/bad.json || exit 1", {}, files=files)
    assert (broken.code, len(broken.output)) == (1, 1)
    assert run_script("cat /etc/app/good.json", {}, files=files).code == 0
    assert run_command(["/bin/sh", "/opt/run.sh"], {}, files=files).code == 4
    assert run_command(["/opt/run.sh"], {}, files=files).output == [(0, "up")]
    assert run_command(["sh", "/opt/gone.sh"], {}, files=files).code == 127


def test_a_loop_beside_a_server_stores_what_it_takes_from_a_device() -> None:
    loop = 'while true; do store-cli SET "k$i" "$(head -c 1M /dev/urandom | base64)"; sleep 2; done'
    run = run_command(["sh", "-c", f"store-server --port 1 & {loop}"], {})
    assert (run.background, run.growth, run.forever) == (["store-server"], 2**20 / 2, True)
    assert run_script("store-server & wait", {}).forever
    assert run_script("echo a 2>&1; sleep 1 && echo b", {}).seconds == 1
