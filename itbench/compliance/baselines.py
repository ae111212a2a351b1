"""Answers that need no thought: a floor to beat, and adversaries that must never pass.

| name | what it does |
|---|---|
| template | picks a policy by words of the requirement: the floor |
| always-no | every set breaks the requirement |
| always-yes | every set keeps it |
| file-names | decides by the names of the visible files |
| file-hashes | knows the visible files by their hashes: no for these, yes for all others |
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

ADVERSARIES = ("always-no", "always-yes", "file-names", "file-hashes")

_FETCH_OBJECTS = """#!/bin/bash
set -euo pipefail
python3 - <<'PY'
import json, pathlib, yaml

loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is there
found, texts = [], {}
for path in sorted(pathlib.Path("static-resources").rglob("*")):
    if not path.is_file():
        continue
    text = path.read_text()
    if path.suffix not in (".yaml", ".yml", ".json"):
        texts[str(path.relative_to("static-resources"))] = text
        continue
    todo = list(yaml.load_all(text, Loader=loader))
    while todo:
        item = todo.pop(0)
        if not isinstance(item, dict):
            continue
        if str(item.get("kind", "")).endswith("List") and isinstance(item.get("items"), list):
            todo += item["items"]
        elif item.get("kind") == "Secret":  # what it holds is nobody's business
            found.append({key: value for key, value in item.items() if key not in ("data", "stringData")})
        else:
            found.append(item)
with open("collected_data.json", "w") as out:
    json.dump({"objects": found, "files": texts}, out)
PY
"""
FETCH = _FETCH_OBJECTS
"""Collects every object and every other text file; the reference solutions use it too."""

_FETCH_FILES = """#!/bin/bash
python3 - <<'PY'
import hashlib, json, pathlib

root = pathlib.Path("static-resources")
files = {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*") if p.is_file()}
with open("collected_data.json", "w") as out:
    json.dump(files, out)
PY
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


def template(problem: str) -> Mapping[str, str]:
    """The floor: a skeleton by the words of a requirement, or a policy that finds nothing."""
    condition = next((rego for words, rego in _SKELETONS if re.search(words, problem, re.IGNORECASE)), "false")
    rule = "\n\t".join(condition.split("; "))
    policy = f"{_HEAD}default result := false\n\nresult if not violated\n\nviolated if {{\n\t{rule}\n}}\n"
    return {"fetch.sh": FETCH, "policy.rego": policy}


def adversary(name: str, visible: Mapping[str, bytes]) -> Mapping[str, str]:
    """One of `ADVERSARIES`, who has seen the files of the visible set, by path below static-resources/.

    Raises:
        KeyError: there is no such adversary.
    """
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in visible.items()}
    rules = {
        "always-no": "result := false",
        "always-yes": "result := true",
        "file-names": f"default result := true\n\nresult := false if object.keys(input) == {{{_listed(hashes)}}}",
        "file-hashes": f"default result := true\n\nresult := false if input == {json.dumps(hashes)}",
    }
    return {"fetch.sh": _FETCH_FILES, "policy.rego": f"{_HEAD}{rules[name]}\n"}


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(json.dumps(value) for value in sorted(values))
