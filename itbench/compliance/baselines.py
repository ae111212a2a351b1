"""Answers that need no thought: a floor to beat, and adversaries that must never pass.

| name | what it does |
|---|---|
| template | picks a policy by words of the requirement: the floor |
| always-no | every set breaks the requirement |
| always-yes | every set keeps it |
| file-names | decides by the names of the visible files |
| file-hashes | knows the visible files by their hashes: no for these, yes for all others |

Where objects come from an API server or stand alone before Kyverno, there are no files: names of objects take their place.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from itbench.compliance.asked import Asked
from itbench.compliance.collecting import COLLECTORS
from itbench.compliance.kyverno_baselines import kyverno_adversary, kyverno_skeleton
from itbench.compliance.kyverno_policy import POLICY
from itbench.compliance.variants import objects_of

ADVERSARIES = ("always-no", "always-yes", "file-names", "file-hashes")

_FETCH_FILES = """#!/bin/bash
python3 - <<'PY'
import hashlib, json, pathlib

root = pathlib.Path("static-resources")
files = {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*") if p.is_file()}
with open("collected_data.json", "w") as out:
    json.dump(files, out)
PY
"""
_LISTED = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Service", "Role")
_FETCH_NAMES = """#!/bin/bash
kubectl get KINDS -A -o json > all.json
python3 - <<'PY'
import json

found = json.load(open("all.json"))["items"]
with open("collected_data.json", "w") as out:
    json.dump({f"{item['kind']}/{item['metadata']['name']}": "" for item in found}, out)
PY
"""
_PLAYBOOK_FILES = """- hosts: localhost
  gather_facts: false
  tasks:
  - ansible.builtin.copy:
      dest: "{{ playbook_dir }}/collected_data.json"
      content: >-
        {% set data = {} %}
        {% for path in PATHS %}
        {% set text = lookup('ansible.builtin.file', root ~ '/' ~ path, rstrip=false, errors='ignore') or '' %}
        {% set _ = data.update({path: text | hash('sha256')}) %}
        {% endfor %}
        {{ data | to_json }}
"""
_HEAD = "package check\n\n"

_CONTAINER = "some o in input.objects; some c in o.spec.template.spec.containers; "
# Words of a requirement, and the violation that a hasty author would look for.
_SKELETONS: tuple[tuple[str, str], ...] = (
    (r"hostNetwork", "some o in input.objects; o.spec.template.spec.hostNetwork == true"),
    (r"hostPID", "some o in input.objects; o.spec.template.spec.hostPID == true"),
    (r"hostIPC", "some o in input.objects; o.spec.template.spec.hostIPC == true"),
    (r"allowPrivilegeEscalation", _CONTAINER + "c.securityContext.allowPrivilegeEscalation != false"),
    (r"privileged", _CONTAINER + "c.securityContext.privileged == true"),
    (r"runAsNonRoot", _CONTAINER + "not c.securityContext.runAsNonRoot"),
    (r"hostPath", "some o in input.objects; some v in o.spec.template.spec.volumes; v.hostPath"),
    (r"hostPort", _CONTAINER + "some p in c.ports; p.hostPort"),
    (r"wildcard", 'some o in input.objects; some r in o.rules; "*" in r.verbs'),
    (r"cluster-admin", 'some o in input.objects; o.roleRef.name == "cluster-admin"'),
    (r"PermitRootLogin", 'contains(input.files["etc/ssh/sshd_config"], "PermitRootLogin yes")'),
    (r"X11", 'contains(input.files["etc/ssh/sshd_config"], "X11Forwarding yes")'),
)


def template(problem: str, asked: Asked) -> Mapping[str, str]:
    """The floor: a skeleton by the words of a requirement, or a policy that finds nothing."""
    if asked.policy_kind is not None:
        return {POLICY: asked.given or kyverno_skeleton(problem, asked.policy_kind)}
    name, collector = COLLECTORS[asked.kind]
    condition = next((rego for words, rego in _SKELETONS if re.search(words, problem, re.IGNORECASE)), "false")
    rule = "\n\t".join(condition.split("; "))
    policy = f"{_HEAD}default result := false\n\nresult if not violated\n\nviolated if {{\n\t{rule}\n}}\n"
    return {name: collector, "policy.rego": policy}


def adversary(name: str, asked: Asked, visible: Mapping[str, bytes]) -> Mapping[str, str]:
    """One of `ADVERSARIES`, who has seen the files of the visible set, by path below static-resources/.

    Raises:
        KeyError: there is no such adversary.
    """
    if asked.policy_kind is not None:
        return {POLICY: kyverno_adversary(name, asked.policy_kind, asked.given, _names(visible))}
    seen: dict[str, str] = {}
    if asked.kind == "static-opa":
        collector, text = "fetch.sh", _FETCH_FILES
        seen = _hashes(visible)
    elif asked.kind == "host-ansible-opa":
        paths = {path: content for path, content in visible.items() if path.startswith("etc/") and path.endswith(".conf")}
        collector, text = "playbook.yml", _PLAYBOOK_FILES.replace("PATHS", json.dumps(sorted(paths)))
        seen = _hashes(paths)
    else:
        collector, text = "fetch.sh", _FETCH_NAMES.replace("KINDS", ",".join(f"{kind.lower()}s" for kind in _LISTED))
        seen = {name: "" for name in _names(visible) if name.partition("/")[0] in _LISTED}
    names = f"{{{', '.join(map(json.dumps, sorted(seen)))}}}"
    conditions = {"file-names": f"object.keys(input) == {names}", "file-hashes": f"input == {json.dumps(seen)}"}
    if asked.kind == "kubectl-opa":  # a server has objects of its own besides
        conditions = dict.fromkeys(conditions, f"count({names} - object.keys(input)) == 0")
    constant = {"always-no": "result := false", "always-yes": "result := true"}
    rule = constant.get(name) or f"default result := true\n\nresult := false if {conditions[name]}"
    return {collector: text, "policy.rego": f"{_HEAD}{rule}\n"}


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


def _names(visible: Mapping[str, bytes]) -> list[str]:
    """KIND/NAME of the visible objects."""
    return sorted({f"{obj['kind']}/{obj['metadata']['name']}" for obj in objects_of(visible)})
