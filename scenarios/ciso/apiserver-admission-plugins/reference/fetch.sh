#!/bin/bash
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
