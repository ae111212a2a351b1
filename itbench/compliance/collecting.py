"""What collects for reference solutions that bring nothing of their own: it takes everything, so that the policy decides."""

from __future__ import annotations

from collections.abc import Mapping

from itbench.model.compliance import TaskKind

FETCH = """#!/bin/bash
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
KUBECTL = """#!/bin/bash
set -euo pipefail
kinds=deployments,statefulsets,daemonsets,replicasets,jobs,cronjobs,pods,services,serviceaccounts,namespaces
kinds+=,networkpolicies,ingresses,roles,rolebindings,clusterroles,clusterrolebindings
kubectl get "$kinds" --all-namespaces --output json > all.json
python3 - <<'PY'
import json

with open("all.json") as stream:
    found = json.load(stream)["items"]
for item in found:
    item["metadata"].pop("managedFields", None)
with open("collected_data.json", "w") as out:
    json.dump({"objects": found}, out)
PY
"""
PLAYBOOK = """- name: Gather the settings of the host
  hosts: localhost
  gather_facts: false
  tasks:
  - name: Find what is below etc and var
    ansible.builtin.find:
      paths: ["{{ root }}/etc", "{{ root }}/var"]
      recurse: true
      hidden: true
      file_type: any
    register: found
  - name: Keep texts and modes
    ansible.builtin.copy:
      dest: "{{ playbook_dir }}/collected_data.json"
      content: >-
        {% set data = {'files': {}, 'modes': {}} %}
        {% for entry in found.files %}
        {% set path = entry.path[root | length + 1:] %}
        {% set _ = data.modes.update({path: entry.mode}) %}
        {% if entry.isreg and path is search('sshd_config|sysctl[.]d/|etc/audit/|login[.]defs') %}
        {% set _ = data.files.update({path: lookup('ansible.builtin.file', entry.path, rstrip=false)}) %}
        {% endif %}
        {% endfor %}
        {{ data | to_json }}
"""
COLLECTORS: Mapping[TaskKind, tuple[str, str]] = {
    "static-opa": ("fetch.sh", FETCH),
    "kubectl-opa": ("fetch.sh", KUBECTL),
    "host-ansible-opa": ("playbook.yml", PLAYBOOK),
}
"""The file of an answer that collects, and its text; Kyverno's need none."""
