"""`itbench record`: a snapshot of a cluster of one's own."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from types import FrameType

import click

from itbench.cli.options import FOLDER, JSON


@click.command()
@click.option("--kubeconfig", type=FOLDER, help="Of the cluster; by default as kubectl: KUBECONFIG, ~/.kube/config.")
@click.option("--context", metavar="NAME", help="Of the kubeconfig; by default its current one.")
@click.option("--prometheus", metavar="URL", help="Where metrics and alerts are asked; without it there are none.")
@click.option("--namespace", "-n", "namespaces", metavar="NS", multiple=True, help="Only this one; may be repeated.")
@click.option("--logs", is_flag=True, help="Record the logs of containers, too.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="How long; by default until Ctrl-C.")
@click.option(
    "--history", type=click.FloatRange(0, 1440), default=15.0, show_default=True, help="Minutes of metrics before the start."
)
@click.option(
    "--every", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="Seconds between looks at Prometheus."
)
@click.option("--out", type=FOLDER, required=True, help="The folder; must not be there yet.")
@JSON
def record(
    kubeconfig: Path | None,
    context: str | None,
    prometheus: str | None,
    namespaces: tuple[str, ...],
    logs: bool,
    minutes: float | None,
    history: float,
    every: float,
    out: Path,
    as_json: bool,
) -> None:
    """Record a cluster into a folder that tools and agents open like any other snapshot.

    \b
    itbench record --prometheus http://127.0.0.1:9090 -n shop --minutes 20 --out incident
    itbench record --kubeconfig admin.conf --logs --out incident      # until Ctrl-C
    itbench tools call incident incident_overview

    Reads only. Secrets are taken out before anything is written. The folder appears whole, at the end; if the recorder is
    killed, the same command finishes what it had.
    """
    from threading import Event

    from itbench.environments.recorder.recorder import Wish, finish_interrupted
    from itbench.environments.recorder.recorder import record as recorded
    from itbench.environments.recorder.watching import Scope

    if finish_interrupted(out):
        click.echo(f"A recording of {out} had been interrupted. It is finished, with what it had; nothing new was recorded.")
        return
    stop = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt  # asked twice: what there is stays beside the folder, and can be finished
        stop.set()
        click.echo("finishing; once more to leave it unfinished", err=True)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    wish = Wish(kubeconfig, context, prometheus, Scope(tuple(dict.fromkeys(namespaces))), logs, history, every)
    try:
        about = recorded(wish, out, stop, minutes, lambda line: click.echo(line, err=True))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    click.echo(json.dumps({"folder": str(out), **about}) if as_json else f"Recorded {out}.")
