"""``flowsim export``: hand a stored journal to other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from flowsim.errors import UsageError, did_you_mean, legal_list

EVENTS = "events.parquet"
_FORMATS = ("xes", "ocel2", "ocel2-xml", "csv", "parquet")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(export)


def export(
    source: Annotated[
        Path,
        typer.Argument(help="The output folder of a run, or an events.parquet in it.", metavar="OUT|FILE"),
    ],
    form: Annotated[str, typer.Option("--format", "-f", help=", ".join(_FORMATS) + ".")] = "xes",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="The file to write (.gz: compressed); default: events.<ending>."),
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="Which scenario, where a folder has several.")] = None,
    replication: Annotated[int, typer.Option(min=1, help="Which replication.")] = 1,
    truth: Annotated[
        bool, typer.Option("--truth", help="With what no log shows: faults, defects, intended receivers.")
    ] = False,
) -> None:
    """Export a journal to XES, OCEL 2.0, CSV or Parquet, for process mining and other programs."""
    if form not in _FORMATS:
        raise UsageError(f"There is no format '{form}'.", did_you_mean(form, _FORMATS))
    journal = events_file(source, scenario, replication)

    from flowsim import exports

    wanted = exports.Format(form)
    target = out or Path(f"events{exports.ENDING[wanted]}")
    typer.echo(str(exports.export(journal, wanted, target, truth)))


def events_file(source: Path, scenario: str | None = None, replication: int = 1) -> Path:
    """Return the journal that is meant: a file, or the one of a scenario's replication in a folder.

    UsageError says what scenarios there are, or how to keep journals where none was kept.
    """
    if source.is_file():
        return source
    if not source.is_dir():
        raise UsageError(f"There is no file or folder {source}.")
    if (source / EVENTS).is_file():
        return source / EVENTS
    runs = {}
    for told in sorted(source.glob("runs/*/run_info.json")):
        job = json.loads(told.read_text(encoding="utf-8"))["job"]
        if job["kind"] == "scenario":
            runs[job["label"], int(job["replication"])] = told.parent / EVENTS
    if not runs:
        raise UsageError(f"{source} is no output folder of a run, and has no {EVENTS}.")
    return _chosen(runs, scenario, replication, source)


def _chosen(runs: dict[tuple[str, int], Path], scenario: str | None, replication: int, source: Path) -> Path:
    names = list(dict.fromkeys(name for name, _ in runs))
    if scenario is None and len(names) > 1:
        raise UsageError(f"{source} has several scenarios.", f"Say --scenario {legal_list(names)}.")
    name = names[0] if scenario is None else scenario
    if name not in names:
        raise UsageError(f"No scenario is called '{name}'.", did_you_mean(name, names))
    if (name, replication) not in runs:
        there = sorted(number for each, number in runs if each == name)
        raise UsageError(
            f"There is no replication {replication} of '{name}'.", f"There are 1 to {there[-1]}."
        )
    path = runs[name, replication]
    if not path.is_file():
        raise UsageError(
            f"The journal of replication {replication} of '{name}' was not kept.",
            "Put 'keep: events' into the experiment and run this one again into another folder: "
            f"flowsim run EXPERIMENT --only '{name}' --replications {replication} -o FOLDER",
        )
    return path
