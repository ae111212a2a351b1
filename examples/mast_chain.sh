#!/bin/bash
# From runs to what to change, one command each: run, annotate, analyse, ablate, report. All goes to FOLDER.
# The models are the scripted ones of flaky_model.py, so that it needs no key: examples/mast_chain.sh [FOLDER [SUITE]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-runs/mast-chain} suite=${2:-sre-all}
port=${PORT:-$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')}
python3 "$here/flaky_model.py" --port "$port" >/dev/null &
server=$!
trap 'kill $server' EXIT
export OPENAI_BASE_URL=http://127.0.0.1:$port/v1 OPENAI_API_KEY=none
mkdir -p "$out"

itbench run --suite "$suite" --agent oracle --agent baseline --agent llm:Mixed --parallel 2 --out "$out/run" || true # 1: a failure
itbench mast annotate "$out/run" --json >"$out/rules.json"
itbench mast analyze "$out/run" --html "$out/mast.html" --plots "$out" >"$out/analysis.txt"
itbench ablate --suite "$suite" --agent llm:Mixed --with loop,gate,fsm,format --parallel 2 --out "$out/ablation" \
  --html "$out/ablation.html" --plots "$out" >"$out/ablation.txt" || true
itbench report "$out/run" --html "$out/report.html" >/dev/null
