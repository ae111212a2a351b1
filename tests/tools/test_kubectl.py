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
        "get pods --kubeconfig /root/.kube/config",
        "get pods --kubeconfig=/root/.kube/config",
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
