"""``flowsim detectability``: which faults can be found with which logs, how soon, at how many alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowsim.errors import Interrupted, UsageError, did_you_mean

DEFAULT = Path("experiments/detectability.yaml")
_LOGS = {"both": ("perfect", "imperfect"), "perfect": ("perfect",), "imperfect": ("imperfect",)}


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(detectability)


def detectability(
    experiment: Annotated[Path, typer.Argument(help="The experiment file.")] = DEFAULT,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Output folder.")] = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Exactly so many.")] = None,
    logs: Annotated[str, typer.Option(help="both, perfect or imperfect.")] = "both",
    rules: Annotated[str, typer.Option(help="Rules: a name from the catalogue, or a file.")] = "rules",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
    lang: Annotated[str, typer.Option(help="nb or en.")] = "en",
) -> None:
    """Score the monitor with each set of logs, on perfect and imperfect ones, and draw the map.

    Replications that are done are kept: the same command again goes on.
    """
    if logs not in _LOGS:
        raise UsageError(f"There are no logs called '{logs}'.", did_you_mean(logs, _LOGS))

    from flowsim import simulation
    from flowsim.config.compose import load_study
    from flowsim.experiment import detectability as tables
    from flowsim.experiment.checks import check_study
    from flowsim.labels import load_labels
    from flowsim.runner import default_workers
    from flowsim.runner.scoring import score_study

    labels = load_labels(lang)
    study = load_study(experiment)
    for warning in check_study(study):
        typer.echo(warning, err=True)
    simulation.prepare(lambda text: typer.echo(text, err=True))
    folder = out or Path("out") / experiment.stem
    number = replications or study.experiment.replications.at_least
    try:
        found = score_study(
            study, folder, number, _LOGS[logs], rules, workers or default_workers(),
            lambda text: typer.echo(text, err=True),
        )  # fmt: skip
    except KeyboardInterrupt:
        raise Interrupted(
            f"Interrupted. Replications that were finished are kept in {folder}.",
            "To go on: the same command again.",
        ) from None
    typer.echo(tables.overview(found.table, found.burden, labels))
    for file in found.write(folder, lang):
        typer.echo(f"Written: {file}", err=True)
