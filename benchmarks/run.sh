#!/bin/sh
# Measures speed and memory against peers: benchmarks/run.sh [trials|scoring|snapshot|twin|tools|baseline|mast|finops]…; all of them by default.
# The peers get an environment of their own, .venv-bench. Run it on a machine that does nothing else.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/itbench ] || { echo "run make demo first" >&2; exit 2; }
if [ ! -e .venv-bench/.installed ] || [ benchmarks/requirements.txt -nt .venv-bench/.installed ]; then
  "${PYTHON:-python3}" -m venv .venv-bench
  .venv-bench/bin/pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
  touch .venv-bench/.installed
fi
[ $# -gt 0 ] || set -- trials scoring snapshot twin tools baseline mast finops
failed=0
for name in "$@"; do
  printf '\n## %s\n\n' "$name"
  .venv/bin/python "benchmarks/$name.py" || failed=1
done
exit $failed
