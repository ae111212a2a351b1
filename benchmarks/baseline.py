"""The baseline on a suite at a seed of its own, whole and with each rule left out: what is each rule worth?

usage: benchmarks/baseline.py [SUITE] [SEED]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from itbench.agents.baseline.clues import RULES
from itbench.runner.execute import run_pending
from itbench.runner.session import RunRequest, begin
from itbench.runner.summary import summarise_session

TARGET_F1, TARGET_RECALL, TARGET_SECONDS = 0.70, 0.85, 2.0
SEED = 20_261_125
"""Nobody looked at a scenario of this seed while the rules were written."""

_SHOWN = ("root_cause_entity_f1", "root_cause_entity_recall", "root_cause_entity_k_recall", "propagation_chain")


def main() -> int:
    suite = sys.argv[1] if len(sys.argv) > 1 else "sre-all"
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    agents = ["baseline", *(f"without-{rule}=baseline-without:{rule}" for rule in RULES)]
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        request = RunRequest(agents=agents, out=Path(folder) / "run", suite=suite, seed=seed)
        session = begin(request, announce=lambda text: print(text, file=sys.stderr))
        run_pending(session)
        summary = summarise_session(session)
        own = [record for record in session.store.records() if record.agent == "baseline"]
    print(f"{suite}, seed {seed}, {len(own)} scenarios\n")
    print(f"| agent | {' | '.join(name.removeprefix('root_cause_entity_') for name in _SHOWN)} |")
    print("|---|" + "---:|" * len(_SHOWN))
    means: dict[str, dict[str, float]] = {}
    for agent in summary.agents:
        (domain,) = agent.domains
        means[agent.agent] = {name: domain.metrics[name].mean or 0.0 for name in _SHOWN}
        print(f"| {agent.agent} | " + " | ".join(f"{means[agent.agent][name]:.3f}" for name in _SHOWN) + " |")
    seconds = sorted(record.timing.agent_seconds for record in own)[len(own) // 2]
    whole = means["baseline"]
    verdicts = {
        f"F1 {whole['root_cause_entity_f1']:.3f} ≥ {TARGET_F1}": whole["root_cause_entity_f1"] >= TARGET_F1,
        f"recall@3 {whole['root_cause_entity_k_recall']:.3f} ≥ {TARGET_RECALL}": whole["root_cause_entity_k_recall"]
        >= TARGET_RECALL,
        f"median {seconds:.2f} s a snapshot ≤ {TARGET_SECONDS} s (wall, first open included)": seconds <= TARGET_SECONDS,
    }
    print()
    for text, met in verdicts.items():
        print(f"{text}: {'met' if met else 'MISSED'}")
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    began = time.perf_counter()
    code = main()
    print(f"took {time.perf_counter() - began:.0f} s", file=sys.stderr)
    sys.exit(code)
