"""``flowsim detectability``: which faults can be found with which logs."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from flowsim.errors import Interrupted


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(detectability)


def detectability(
    experiment: Annotated[Path, typer.Argument(help="The experiment file.")] = Path(
        "experiments/detectability.yaml"
    ),
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Output folder; default: out/<name of the file>.")
    ] = None,
    logs: Annotated[str, typer.Option(help="both, perfect or imperfect.")] = "both",
    rules: Annotated[str, typer.Option(help="Rules: a name from the catalogue, or a file.")] = "rules",
    strictness: Annotated[
        float, typer.Option(min=0.01, help="2 halves every limit, on top of the file's.")
    ] = 1.0,
    sources: Annotated[
        list[str] | None,
        typer.Option(help="Only this set of sources, such as receipts_only; may be repeated."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Exactly so many.")] = None,
    lang: Annotated[str, typer.Option(help="nb or en.")] = "en",
) -> None:
    """Find out which faults can be found with which logs, how soon, and at how many alerts.

    The same command again goes on where an interrupted one stopped.
    """
    from flowsim.config.compose import load_study
    from flowsim.experiment.checks import check_study
    from flowsim.experiment.watching import setting_of
    from flowsim.labels import load_labels

    labels = load_labels(lang)
    study = load_study(experiment)
    setting = setting_of(study.designs()[0].design, logs, rules, sources or (), strictness)
    for warning in check_study(study):
        typer.echo(warning, err=True)

    from flowsim.experiment.detectability import overview
    from flowsim.experiment.watching import prepare
    from flowsim.runner import Options, default_workers
    from flowsim.runner.detectability import detect, program_of
    from flowsim.runner.progress import ConsoleProgress

    folder = out or Path("out") / experiment.stem
    command = shlex.join(["flowsim", *sys.argv[1:]])
    options = Options(folder, workers or default_workers(), replications, again=command)
    try:
        prepare(lambda text: typer.echo(text, err=True))
    except KeyboardInterrupt:
        raise Interrupted("Interrupted before anything ran.") from None
    with ConsoleProgress(sys.stderr) as progress:
        found = detect(study, options, program_of(), setting, progress, language=lang)
    typer.echo(overview(found.table, found.burden, labels))
    typer.echo(
        f"{found.replications} replications ({found.new} new), means; days are medians and 90 % from the "
        f"fault's beginning, – not reached; in brackets the share of alerts that touch a true fault. "
        f"Written to {folder}.",
        err=True,
    )
