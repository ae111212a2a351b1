#!/bin/bash
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
