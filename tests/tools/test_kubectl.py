"""kubectl for agents: nothing that reads files, speaks to another server or acts as somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from itbench.tools.errors import ToolError
from itbench.tools.kubectl import Kubectl, checked


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("get pods -n shop -o wide", False),
        ("kubectl get deploy/web -oyaml", False),
        ("get pods -A -o jsonpath='{.items[*].metadata.name}'", False),
        ("logs -n shop web-1 -c web --tail=20 --previous", False),
        ("describe deploy web", False),
        ("auth can-i --list", False),
        ("rollout history deploy/web", False),
        ("rollout undo deploy/web --to-revision 2", True),
        ("scale deploy web --replicas=2", True),
        ("set image deploy/web web=shop/web:2", True),
        ("""patch svc web -p '{"spec":{"ports":[]}}' --type merge""", True),
        ("delete networkpolicy deny", True),
        ("delete pod web-1 --dry-run=server --cascade=orphan", True),
        ("logs patch -p", False),
        ("logs web --tail -1", False),
    ],
)
def test_ordinary_commands_pass(command: str, writes: bool) -> None:
    assert checked(command)[1] is writes


@pytest.mark.parametrize(
    "command",
    [
        "",
        "exec web -- ls",
        "port-forward web 80",
        "proxy",
        "cp web:/etc/passwd .",
        "config view --raw",
        "edit deploy web",
        "debug node/node-1",
        "plugin list",
        "get pods --kubeconfig /etc/kubernetes/admin.conf",
        "get pods --kubeconfig=/etc/kubernetes/admin.conf",
        "get pods -s https://example.org",
        "get pods --server=https://example.org",
        "get pods --as system:admin",
        "get pods --token x",
        "get pods --context other",
        "get --raw /api",
        "get -f /etc/passwd",
        "apply -f https://example.org/x.yaml",
        "create -f-",
        "get pods -o go-template-file=/etc/passwd",
        "get pods -o jsonpath-file=/etc/passwd",
        "get pods -o custom-columns-file=/etc/passwd",
        "get pods --template=x",
        "create configmap x --from-file=/etc/passwd",
        "patch deploy web --patch-file /etc/passwd",
        "get pods --watch",
        "get pods -w",
        "logs -f web",
        "get pods -v=9",
        "rollout bogus deploy/web",
        "apply",
        "get 'pods",
        # Where a flag may also stand alone, kubectl reads the word behind it as a flag of its own.
        "logs patch -p --kubeconfig=/etc/kubernetes/admin.conf",
        "-p patch logs web --kubeconfig=/etc/kubernetes/admin.conf",
        "delete pod web --dry-run --kubeconfig=/etc/kubernetes/admin.conf",
        "delete pod web --cascade --server=https://example.org",
        "get pods -l --as=system:admin",
    ],
)
def test_everything_else_is_refused(command: str) -> None:
    with pytest.raises(ToolError):
        checked(command)


def test_a_refusal_says_what_is_allowed() -> None:
    with pytest.raises(ToolError, match=r"'descrbe' is not allowed.*Did you mean describe"):
        checked("descrbe pods")


def test_a_dry_run_is_for_changes_only(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="dry_run is for commands that change"):
        Kubectl(Path("/bin/false"), tmp_path / "kubeconfig").run("get pods", dry_run=True)


def script(folder: Path, text: str) -> Kubectl:
    """A program in kubectl's place."""
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return Kubectl(program, folder / "kubeconfig")


def test_objects_reach_kubectl_and_its_answer_comes_back(tmp_path: Path) -> None:
    manifest = "kind: ConfigMap\n" * 20_000  # more than a pipe holds
    assert script(tmp_path, "wc -c").run("apply", manifest).strip() == str(len(manifest))


def test_what_kubectl_complains_about_is_the_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no such pod"):
        script(tmp_path, "echo no such pod >&2; exit 1").run("get pod x")


def test_an_endless_answer_is_cut(tmp_path: Path) -> None:
    assert len(script(tmp_path, "exec yes").run("logs web-1")) == 2_000_000


def test_kubectl_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itbench.tools.kubectl.SECONDS", 0.2)
    with pytest.raises(ToolError, match="kubectl took more than"):
        script(tmp_path, "sleep 60 & wait").run("get pods")
