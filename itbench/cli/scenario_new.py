"""`itbench scenario new`: a guided way to a scenario.yaml, and a scriptable one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from itbench.cli.options import FOLDER


@click.command()
@click.option("--id", "slug", metavar="ID", help="Lower case, words joined by hyphens. Say the symptom, not the fault.")
@click.option("--title", help="One line, for people.")
@click.option("--application", help="A bundled application; see: itbench app list.")
@click.option("--fault", metavar="ID", help="Its id, or its number in: itbench fault list.")
@click.option("--arg", "given", metavar="KEY=VALUE", multiple=True, help="An argument of the fault; may be repeated.")
@click.option("--complexity", type=click.Choice(["low", "medium", "high"]), help="How hard it is; default: medium.")
@click.option("--replace-pods", is_flag=True, help="Afterwards take the workload's old pods away, which still serve.")
@click.option("--out", type=FOLDER, default=Path("scenarios"), show_default=True, help="Where ID/scenario.yaml goes.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is missing is an error.")
def new(
    slug: str | None,
    title: str | None,
    application: str | None,
    fault: str | None,
    given: Sequence[str],
    complexity: Any,
    replace_pods: bool,
    out: Path,
    yes: bool,
) -> None:
    """Make a scenario: asks what you did not say, offers what the application has, and writes a scenario.yaml that runs.

    \b
    itbench scenario new
    itbench scenario new --id no-stars --application book-info --fault deleted-kubernetes-service \\
      --arg kubernetesObject=Service/ratings --yes

    Keys of arguments are dotted, such as container.env.name; objects are written Kind/name.

    Exit codes: 0 written, and it can be played; 2 an answer is wrong.
    """
    from itbench.authoring.new import Draft, kind_of, write_draft
    from itbench.faults.registry import known_faults
    from itbench.twin.app.load import application_names, load_application

    ask = _Asking(silent=yes)
    slug = ask.text("--id", "Id (say the symptom, not the fault)", slug)
    title = ask.text("--title", "Title", title, default=slug.replace("-", " ").capitalize())
    application = ask.one_of("--application", "Application", application, application_names())
    loaded = load_application(application)
    known = known_faults()
    fault = ask.one_of("--fault", "Fault", fault, tuple(known), [each.title for each in known.values()], closed=True)
    kind = kind_of(fault)
    args = _arguments(kind, given, loaded, ask)
    if not yes and not replace_pods and args.get("kubernetesObject", {}).get("kind") in ("Deployment", "StatefulSet"):
        question = "Take its old pods away afterwards? A roll-out that does not succeed keeps them, and they go on serving"
        replace_pods = click.confirm(question, default=False, err=True)
    draft = Draft(slug, title, application, kind.id, args, complexity or "medium", replace_pods)
    path = write_draft(draft, out)
    click.echo(f"Wrote {path}; it can be played. Next:\n  itbench scenario check {path.parent}")


def _arguments(kind: Any, given: Sequence[str], application: Any, ask: _Asking) -> dict[str, Any]:
    """The arguments of a fault: those that were given, then those that are asked for."""
    from itbench.authoring.questions import answer, next_question
    from itbench.model.errors import UsageError

    args: dict[str, Any] = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not (key and equals):
            raise UsageError(f"--arg {item!r} is not KEY=VALUE", hint="For example: --arg container.name=cart")
        answer(kind, args, tuple(key.split(".")), value, application)
    while (question := next_question(kind, args, application)) is not None:
        option = f"--arg {question.dotted}=…"
        if question.choices:
            text = ask.one_of(option, question.text, None, question.choices, closed=question.closed)
        else:
            text = ask.text(option, question.text, None)
        try:
            answer(kind, args, question.key, text, application)
        except UsageError as error:
            if ask.silent:
                raise
            click.echo(f"  {error}", err=True)
    return args


class _Asking:
    """Asks on stderr, or complains about what was not said."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent

    def text(self, option: str, question: str, given: str | None, default: str | None = None) -> str:
        """A line of text."""
        if given is not None:
            return given
        if self.silent:
            return default if default is not None else self._missing(option, ())
        return str(click.prompt(question, default=default, err=True))

    def one_of(
        self,
        option: str,
        question: str,
        given: str | None,
        choices: Sequence[str],
        words: Sequence[str] = (),
        *,
        closed: bool = False,
    ) -> str:
        """One of a numbered list, by its number or its name; another text if the list is not all there is."""
        if given is not None:
            return given
        if self.silent:
            return choices[0] if closed and len(choices) == 1 else self._missing(option, choices)
        if closed and len(choices) == 1:
            click.echo(f"{question}: {choices[0]} (there is no other)", err=True)
            return choices[0]
        click.echo(f"{question}:", err=True)
        for number, choice in enumerate(choices, 1):
            click.echo(f"  {number:>2}  {choice}" + (f"  {words[number - 1]}" if words else ""), err=True)
        while True:
            said = str(click.prompt("Number or name", err=True)).strip()
            if said.isdigit() and 0 < int(said) <= len(choices):
                return choices[int(said) - 1]
            if said in choices or not closed:
                return said
            click.echo(f"  {said!r} is not in the list", err=True)

    @staticmethod
    def _missing(option: str, choices: Sequence[str]) -> str:
        from itbench.model.errors import UsageError

        there_are = f"There are: {', '.join(choices[:20])}" if choices else "See: itbench scenario new --help"
        raise UsageError(f"{option} is missing, and --yes asks nothing", hint=there_are)
