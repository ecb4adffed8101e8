"""The command line: ``flowsim validate | run | show | compare | chart | schema | export``.

Results go to standard output, progress and notes to standard error. Exit codes: 0 fine, 1 a run failed
(the others are kept), 2 a mistake on the command line, 3 faults in a file, 130 interrupted. Heavy
libraries are imported in the command that needs them, so that ``--help`` and ``validate`` answer at once.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowsim import __version__, cli_export
from flowsim.errors import FlowsimError, Interrupted, RunFailed, UsageError, did_you_mean

if TYPE_CHECKING:
    from flowsim.config.compose import Study
    from flowsim.runner.output import Results

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Simulate how clinical messages travel while a region rolls out a shared record.",
)

Out = Annotated[Path, typer.Argument(help="The output folder of a run.", metavar="OUT")]

cli_export.register(app)


def main() -> None:
    """Run the command line, and turn what goes wrong into a message and an exit code."""
    try:
        app()
    except FlowsimError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        typer.echo(f"The system says: {error.strerror or error}{place}.", err=True)
        sys.exit(RunFailed.exit_code)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flowsim {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Take the options that come before a command."""


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(help="Files of any kind (see schema).")],
    loads: Annotated[bool, typer.Option("--loads", help="Print an experiment's load per service.")] = False,
) -> None:
    """Check files without running anything, and tell every fault of all of them."""
    from flowsim.config.loading import gather
    from flowsim.experiment.checks import check_file
    from flowsim.topology.load import load_table

    for checked in gather([lambda file=file: check_file(file) for file in files]):  # type: ignore[misc]
        typer.echo(f"{checked.path}  {checked.summary}")
        if loads and checked.loads:
            typer.echo(load_table(checked.loads))
        for warning in checked.warnings:
            typer.echo(f"{checked.path}  {warning}", err=True)


@app.command()
def run(
    experiment: Annotated[Path, typer.Argument(help="The experiment file.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Output folder; default: out/<name of the file>.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Exactly so many.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this scenario, or those like '*equal*'; may be repeated.")
    ] = None,
) -> None:
    """Run an experiment; the same command again goes on where an interrupted one stopped."""
    from flowsim.config.compose import load_study
    from flowsim.experiment.checks import check_study
    from flowsim.experiment.jobs import chosen

    study = load_study(experiment)
    points = chosen(study.designs(), only or ())
    for warning in check_study(study):
        typer.echo(warning, err=True)

    from flowsim import simulation
    from flowsim.experiment.confidence_overview import warm_up_lines
    from flowsim.experiment.jobs import Program, code_hash
    from flowsim.experiment.working import carry_out, prepare
    from flowsim.runner import Options, default_workers, run_study
    from flowsim.runner.progress import ConsoleProgress

    folder = out or Path("out") / experiment.stem
    command = shlex.join(["flowsim", *sys.argv[1:]])
    options = Options(folder, workers or default_workers(), replications, tuple(only or ()), command)
    typer.echo(_headline(study, len(points), replications), err=True)
    try:
        prepare(lambda text: typer.echo(text, err=True))
    except KeyboardInterrupt:
        raise Interrupted("Interrupted before anything ran.") from None
    program = Program(__version__, simulation.kernel_hash(), code_hash())
    with ConsoleProgress(sys.stderr) as progress:
        outcome = run_study(study, options, program, carry_out, progress)
    typer.echo(_overview(folder))
    _tell_economics(folder)
    for line in warm_up_lines(_results(folder).confidence("steady_state")):
        typer.echo(line, err=True)
    typer.echo(
        f"{outcome.runs} runs ({outcome.new_runs} new) in {outcome.seconds:.0f} s, "
        f"{outcome.replications} replications. Written to {folder}; charts in {folder / 'charts'}.",
        err=True,
    )
    if outcome.precise is False:
        rule = study.experiment.replications
        typer.echo(
            f"The wanted precision is not reached with {rule.at_most} replications (at_most).", err=True
        )


@app.command()
def show(
    out: Out,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all means and differences for scripts.")
    ] = False,
) -> None:
    """Show the results of a run: means with simulation intervals, and paired differences."""
    if as_json:
        from flowsim.experiment.overview import aggregate

        results = _results(out)
        tables = results.economics
        plain = aggregate(results.summary, results.scenarios, results.comparison, results.manifest, tables)
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False))
        return
    typer.echo(_overview(out))
    _tell_economics(out)


@app.command()
def compare(
    out: Out,
    measure: Annotated[
        list[str] | None, typer.Option("-m", "--measure", help="Only this measure; may be repeated.")
    ] = None,
    pairing: Annotated[
        bool, typer.Option("--pairing", help="Show what pairing by replication was worth instead.")
    ] = False,
    cases: Annotated[
        bool, typer.Option("--cases", help="Show the same cases in both worlds instead (keep: cases).")
    ] = False,
) -> None:
    """Show each scenario's difference to its baseline, paired by replication, for the whole."""
    from flowsim.experiment.confidence_overview import case_block, pairing_block
    from flowsim.experiment.overview import difference_table

    results = _results(out)
    known = list(dict.fromkeys(results.summary["measure"]))
    for name in measure or ():
        if name not in known:
            raise UsageError(f"'{name}' is not a measure of this run.", did_you_mean(name, known))
    if cases:
        typer.echo(case_block(results.confidence("case_differences")))
        return
    if pairing:
        typer.echo(pairing_block(results.confidence("pairing"), measure or ()))
        return
    typer.echo(difference_table(results.comparison, measure or (), results.confidence("many_comparisons")))


@app.command()
def chart(
    out: Out,
    lang: Annotated[str, typer.Option(help="nb or en.")] = "en",
) -> None:
    """Draw the charts of a run again from its tables."""
    from flowsim.labels import load_labels

    load_labels(lang)
    files, left_out = _results(out).draw(lang)
    for file in files:
        typer.echo(str(file))
    for each in left_out:
        typer.echo(f"No chart of {each}.", err=True)


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="Which kind of file.")] = "experiment",
    docs: Annotated[
        Path | None, typer.Option(help="Write docs/configuration.md here instead, from the same models.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Write docs/data.md here instead: every column of the data.")
    ] = None,
) -> None:
    """Print the JSON schema of a kind of file, for editors that check while you type."""
    from flowsim.config.docs import configuration_page, json_schema
    from flowsim.config.kinds import KINDS

    if docs is not None:
        docs.write_text(configuration_page(), encoding="utf-8")
        typer.echo(f"Written to {docs}", err=True)
        return
    if data is not None:
        from flowsim.experiment.data_page import data_page

        data.write_text(data_page(), encoding="utf-8")
        typer.echo(f"Written to {data}", err=True)
        return
    if kind not in KINDS:
        raise UsageError(f"There is no kind of file called '{kind}'.", did_you_mean(kind, KINDS))
    typer.echo(json.dumps(json_schema(kind), ensure_ascii=False, indent=2))


def _headline(study: Study, scenarios: int, replications: int | None) -> str:
    """Return the line that says what is about to run."""
    from flowsim.experiment.basis import practices_joined

    base, rule = study.base, study.experiment.replications
    practices = practices_joined(base)["practices_total"]
    open_ended = rule.until is not None and rule.at_most > rule.at_least
    count = f"{rule.at_least} to {rule.at_most}" if open_ended else f"{rule.at_least}"
    count = count if replications is None else f"{replications}"
    return (
        f"{study.experiment.name}: {scenarios} scenarios × {count} replications, "
        f"{base.warm_up} warm-up, {base.observe} observed, {base.follow_up} follow-up, "
        f"{base.topology.name}, {practices} practices   seed {base.seed}"
    )


def _results(out: Path) -> Results:
    from flowsim.runner.output import Results

    return Results(out)


def _overview(out: Path) -> str:
    """Return the table of an output folder with what its reader must know beneath."""
    from flowsim.experiment.confidence_overview import unseen_lines
    from flowsim.experiment.overview import overview
    from flowsim.labels import load_labels

    results = _results(out)
    manifest = results.manifest
    view = load_labels("en").word("view", manifest["view"])
    lines = [
        (
            f"{manifest['experiment']}: {manifest['replications']} replications, {view} view, "
            f"numbers {manifest['basis']}, intervals are simulation intervals"
        ),
        "",
        overview(results.summary, results.scenarios, results.comparison),
    ]
    lines += unseen_lines(results.confidence("rare_shares"))
    for label, scale in manifest["background"].items():
        lines.append(f"{label} runs at {scale:g} of its size.")
    if not manifest["whole"]:
        lines.append("Some runs failed; these are the replications that are whole.")
    if manifest["notice"]:
        lines.append(manifest["notice"])
    return "\n".join(lines)


def _tell_economics(out: Path) -> None:
    """Print cost and benefit, if the folder has any: a table on a terminal, plain lines elsewhere."""
    from flowsim.experiment.economics_overview import economics_block, plain

    results = _results(out)
    if not results.economics:
        return
    block = economics_block(results.economics, results.manifest["economics"])
    typer.echo("")
    if not sys.stdout.isatty():
        typer.echo(plain(block))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=block.heading, title_justify="left", box=None, header_style="bold")
    for place, head in enumerate(block.heads):
        table.add_column(head, justify="left" if place < 2 else "right", no_wrap=place < 2)
    for row in block.rows:
        table.add_row(*row)
    Console(file=sys.stdout).print(table)
    for line in block.lines:
        typer.echo(line)


if __name__ == "__main__":
    main()
