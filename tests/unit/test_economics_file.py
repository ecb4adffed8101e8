"""What an economics file may say, every mistake at its line, and that no simulation knows of it."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1]))
import studies

from flowsim import cli
from flowsim.catalogue import catalogue_path, names
from flowsim.config.compose import Study, load_study
from flowsim.config.economics_file import EconomicsFile, Money, Number, UnknownCost
from flowsim.config.kinds import kind_of
from flowsim.config.loading import load, load_yaml
from flowsim.config.twins import design_key
from flowsim.config.values import Estimate
from flowsim.economics.assumptions import Assumptions
from flowsim.errors import FaultsInFile
from flowsim.experiment.basis import basis_of, organisations_joined
from flowsim.experiment.jobs import Campaign, Job
from flowsim.experiment.tables import write_table
from flowsim.runner import Options, run_study
from flowsim.units import money_text, parse_money

CATALOGUE = catalogue_path("economics", "economics")
WITH = studies.EXPERIMENT.replace("pathways:", "economics: economics\npathways:", 1)


def faults(path: Path) -> list[str]:
    with pytest.raises(FaultsInFile) as error:
        load(path, EconomicsFile)
    return [f"{Path(f.file).name}:{f.line} {f.message} {f.hint}".strip() for f in error.value.faults]


# --- money ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "nok"),
    [
        ("650 NOK", 650.0),
        ("80 MNOK", 80e6),
        ("6.7 billion NOK", 6.7e9),
        ("0.1 million NOK", 1e5),
        ("0 NOK", 0.0),
    ],
)
def test_money_is_text_with_a_unit_and_is_written_back_as_it_was_read(text: str, nok: float) -> None:
    assert parse_money(text) == nok
    assert parse_money(money_text(nok)) == nok


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (80, "must be an amount of money with its unit"),
        (80.5, "must be an amount of money with its unit"),
        ("80", "must have a known unit of money"),
        ("80 MNKO", "Did you mean 'MNOK'?"),
        ("-5 NOK", "must not be negative"),
        ("1e999 NOK", "must"),
        ("much", "must be an amount of money with a number and a unit"),
    ],
)
def test_what_is_no_money_is_refused_with_an_example(value: object, why: str) -> None:
    with pytest.raises(ValueError, match="must") as error:
        parse_money(value)
    assert why in str(error.value)


# --- the catalogue's file ---------------------------------------------------------------------------


def test_the_catalogue_has_economics_with_the_stated_numbers() -> None:
    assert names("economics") == ["economics"]
    assert kind_of(load_yaml(CATALOGUE)) == "economics"
    file = load(CATALOGUE, EconomicsFile)
    stated = Assumptions(file).found
    assert stated["operating_cost.municipality"].value == 80e6
    assert stated["introduction.total"].value == 6.7e9
    assert (stated["benefit.potential"].low, stated["benefit.potential"].high) == (80e6, 100e6)
    assert {y: m.value for y, m in file.waiting_day.prices.items()} == {2022: 5306, 2023: 5508, 2024: 5745}
    assert all(m.certainty == "read" for m in file.waiting_day.prices.values())
    assert file.benefit.from_year == 2025
    assert {path for path, each in stated.items() if each.value != each.value} == {"legacy_cost.municipality"}


def test_every_number_of_the_catalogue_has_a_source_and_every_assumed_one_a_range() -> None:
    file = load(CATALOGUE, EconomicsFile)
    for path, each in Assumptions(file).found.items():
        assert each.varies or each.certainty != "assumed", path
        here: Any = file
        for step in path.split("."):
            here = getattr(here, step, None) if not isinstance(here, Mapping) else here.get(_key(here, step))
        assert isinstance(here, Money | Number | UnknownCost | Estimate), path
        assert here.source, path


def _key(mapping: Mapping[Any, Any], step: str) -> Any:
    return step if step in mapping else int(step)


# --- mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("cost:\n  municipality:", "cost:\n  municipalty:", "Did you mean 'municipality'?"),
        ("rest: hospital_trust", "rest: hospital", "Did you mean 'hospital_trust'?"),
        ("range: [75 MNOK, 85 MNOK]", "range: [85 MNOK, 75 MNOK]", "low (85 MNOK) is above its high (75"),
        ("range: [10 MNOK, 60 MNOK]", "range: [60 MNOK, 10 MNOK]", "has a range whose low"),
        ("range: [20, 67]", "range: [67, 20]", "has a range whose low"),
        ("range: [20 %, 80 %]", "range: [80 %, 20 %]", "lies outside its range"),
        ("range: [75 MNOK, 85 MNOK]", "range: [85 MNOK, 95 MNOK]", "has a value (80 MNOK) outside"),
        ("threshold:\n    value: 50 %", "threshold:\n    value: 150 %", "must lie between 0 and 1"),
        ("value: 5745 NOK", "value: -5745 NOK", "must not be negative"),
        ("value: 80 MNOK", "value: 80", "must be an amount of money with its unit"),
        ("    range: [10 MNOK,", "    value: 30 MNOK\n    range: [10 MNOK,", "must have no value"),
        ("legacy_cost:\n  municipality:", "legacy_cost:\n  practice:", "without a legacy_cost"),
        ("year: 2025", "year: 2020", "has no price of a waiting day for 2020 or before"),
        ("receives: hospital_trust", "receives: municipality", "paying itself"),
        ("range: [10 %, 40 %]", "range: [10 %, 140 %]", "must lie between 0 and 1"),
        ("rest: hospital_trust", "rest: municipality", "has a share for municipality"),
        ("possible: {value: 67", "possible: {value: 60", "has actors above possible (60)"),
        ("years:\n    value: 10", "years:\n    value: 0", "must be greater than 0"),
        ("key: inhabitants", "key: heads", "key must be 'inhabitants'"),
        ("number: 10000", "number: 0", "at least 1"),
        ("hourly_cost:\n  gp:", "hourly_cost:\n  gps:", "Did you mean 'gp'?"),
        ("year: 2025", "yaer: 2025", "Did you mean 'year'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = CATALOGUE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "own.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = faults(path)
    assert any(told in fault for fault in found), found
    assert all(fault.startswith("own.yaml:") and not fault.startswith("own.yaml:None") for fault in found), (
        found
    )


def test_shares_that_may_add_up_to_more_than_all_are_refused(tmp_path: Path) -> None:
    more = "  shares:\n    practice: {value: 70 %, source: invented, certainty: seed}\n"
    path = tmp_path / "own.yaml"
    path.write_text(CATALOGUE.read_text(encoding="utf-8").replace("  shares:\n", more, 1), encoding="utf-8")
    assert any("more than 100 %" in fault for fault in faults(path))


# --- in an experiment -------------------------------------------------------------------------------


def write(folder: Path, more: str = "", head: str = WITH) -> Path:
    return studies.write_study(folder, head + more)


def test_an_experiment_names_economics_and_changes_it_by_path(tmp_path: Path) -> None:
    study = load_study(
        write(tmp_path, "change: {economics.operating_cost.municipality.value: 84 MNOK}\n").resolve()
    )
    economics = [point.design.economics for point in study.points]
    assert {e.operating_cost["municipality"].value for e in economics if e is not None} == {84e6}
    assert study.resolved()["economics"]["operating_cost"]["municipality"]["value"] == "84 MNOK"


def test_without_the_key_there_are_no_economics_and_nothing_about_them_is_written(tmp_path: Path) -> None:
    study = load_study(studies.write_study(tmp_path))
    assert study.base.economics is None
    assert "economics" not in study.resolved()


def test_economics_of_ones_own_are_a_file_beside_the_experiment(tmp_path: Path) -> None:
    text = CATALOGUE.read_text(encoding="utf-8").replace("value: 80 MNOK", "value: 77 MNOK", 1)
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    path = write(tmp_path, head=WITH.replace("economics: economics", "economics: mine.yaml"))
    economics = load_study(path).base.economics
    assert economics is not None
    assert economics.operating_cost["municipality"].value == 77e6


@pytest.mark.parametrize(
    ("head", "more", "told"),
    [
        (studies.EXPERIMENT, "change: {economics.year: 2024}\n", "this experiment names no economics"),
        (WITH, "change: {economics.yaer: 2024}\n", "'yaer' is not known here"),
        (WITH.replace("economics: economics", "economics: economic"), "", "Did you mean 'economics'?"),
        (WITH, "change: {economics.benefit.threshold.value: 120 %}\n", "must lie between 0 and 1"),
        (WITH, "change: {economics.hourly_cost.gp.value: -1 NOK}\n", "must not be negative"),
    ],
)
def test_a_wrong_path_or_value_in_an_experiment_is_told_at_its_line(
    tmp_path: Path, head: str, more: str, told: str
) -> None:
    path = write(tmp_path, more, head)
    with pytest.raises(FaultsInFile) as error:
        load_study(path)
    fault = next(f for f in error.value.faults if told in f"{f.message} {f.hint}")
    wanted = more.partition(": {")[0] if more else "economics:"
    assert path.read_text().splitlines()[(fault.line or 0) - 1].startswith(wanted)


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave charts out, which take longer than all the rest."""
    monkeypatch.setattr("flowsim.runner.output.draw_charts", lambda *_: ([], []))


def study_of(folder: Path, text: str) -> Study:
    return load_study(studies.write_study(folder, text))


VARIED = WITH.replace(
    "compare:",
    "  economics.joining.actors.value: [20, 34, 67]\ncompare:",
)


def test_economics_are_no_part_of_what_identifies_a_run(tmp_path: Path) -> None:
    plain, priced = (study_of(tmp_path / n, text) for n, text in (("a", studies.EXPERIMENT), ("b", WITH)))
    for one, other in zip(plain.points, priced.points, strict=True):
        assert design_key(one.design) == design_key(other.design)
    varied = study_of(tmp_path / "c", VARIED)
    assert len(varied.points) == 12
    assert len({design_key(point.design) for point in varied.points}) == 4


def test_varying_economics_simulates_nothing_more(tmp_path: Path, no_charts: None) -> None:
    carried: list[Job] = []

    def carry_out(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
        carried.append(job)
        return studies.pretend(job, folder, twins)

    for name, text in (("plain", WITH), ("varied", VARIED)):
        carried.clear()
        study = study_of(tmp_path / name, text)
        run_study(study, Options(tmp_path / name / "out"), studies.PROGRAM, carry_out)
        # 4 scenarios, 2 levels' twins and 1 ideal twin, each twice
        assert len(carried) == 14, name
    table = pd.read_csv(tmp_path / "varied" / "out" / "economics.csv")
    costs = table[(table.item == "operating_cost") & (table.payer == "municipality")]
    assert costs["value"].nunique() == 3 and len(costs) == 12
    assert len(Campaign(study, studies.PROGRAM).scenario_jobs(1)) == 12


def test_changed_economics_go_on_in_the_same_folder_and_run_nothing(tmp_path: Path, no_charts: None) -> None:
    out = tmp_path / "out"
    study = study_of(tmp_path, WITH)
    assert run_study(study, Options(out), studies.PROGRAM, studies.pretend).new_runs == 14
    dearer = study_of(tmp_path, WITH + "change: {economics.operating_cost.municipality.value: 85 MNOK}\n")
    assert run_study(dearer, Options(out), studies.PROGRAM, studies.pretend).new_runs == 0
    table = pd.read_csv(out / "economics.csv")
    assert set(table[(table.item == "operating_cost") & (table.payer == "municipality")]["value"]) == {-85e6}
    plain = study_of(tmp_path, studies.EXPERIMENT)
    assert run_study(plain, Options(out), studies.PROGRAM, studies.pretend).new_runs == 0
    assert not list(out.glob("*economics*")) and not list(out.glob("charts/economics.*"))
    assert not (out / "break_even.csv").exists() and not (out / "better_than_before.csv").exists()


def hours(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
    """Pretend, with staff hours and waiting days among the measures."""
    told = studies.pretend(job, folder, twins)
    if (folder / "summary.parquet").exists():
        summary = pd.read_parquet(folder / "summary.parquet")
        rows = [("staff_hours_searching", "party=gp", 900.0 + 100 * studies.luck(job), "hours a year")]
        rows += [("discharge_waiting_days", "", 50.0 + studies.luck(job), "days a year")]
        more = pd.DataFrame(rows, columns=list(summary.columns))
        write_table(pd.concat([summary, more], ignore_index=True), folder / "summary.parquet")
    return told


def test_economics_have_the_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    study = study_of(tmp_path, WITH)
    for name, workers in (("one", 1), ("two", 2)):
        run_study(study, Options(tmp_path / name, workers=workers), studies.PROGRAM, hours)
    for file in (
        "economics.csv",
        "break_even.csv",
        "better_than_before.csv",
        "charts/economics.svg",
        "charts/economics.csv",
    ):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_the_basis_of_a_simulation_does_not_rest_on_economics(tmp_path: Path) -> None:
    plain, priced = (
        study_of(tmp_path / n, text).base for n, text in (("a", studies.EXPERIMENT), ("b", WITH))
    )
    assert basis_of(plain) == basis_of(priced) == basis_of(priced.model_copy(update={"economics": None}))


def test_who_is_on_the_platform_is_read_from_the_design(tmp_path: Path) -> None:
    base = study_of(tmp_path, WITH).base
    assert organisations_joined(base) == {
        "municipality_on_platform": 1,
        "hospital_on_platform": 1,
        "inhabitants": 10000,
    }
    apart = base.model_copy(update={"adoption": base.adoption.model_copy(update={"organisations": ()})})
    assert organisations_joined(apart)["municipality_on_platform"] == 0


def test_what_is_written_reads_back_to_the_same_settings(tmp_path: Path) -> None:
    file = load(CATALOGUE, EconomicsFile)
    path = tmp_path / "again.yaml"
    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(file.model_dump(mode="json"), stream)
    assert load(path, EconomicsFile) == file


# --- on the command line ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the small study with economics once."""
    folder = tmp_path_factory.mktemp("study")
    run_study(study_of(folder, WITH), Options(folder / "out"), studies.PROGRAM, hours)
    return folder / "out"


def test_show_prints_cost_and_benefit_beneath_the_table_plain_in_a_pipe(out: Path) -> None:
    told = CliRunner().invoke(cli.app, ["show", str(out)])
    assert told.exit_code == 0
    main, _, block = told.output.partition("Cost and benefit in 2025")
    assert "referrals" in main and "\x1b" not in told.output
    assert "MNOK a year for 212\u202f000 inhabitants" in block
    assert "share of draws of the assumptions, not a probability" in block
    assert "Not measured in this run and left out: staff time on chasing" in block


def test_on_a_terminal_the_block_is_a_table_that_fits_it(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("COLUMNS", "100")
    cli._tell_economics(out)
    table = [line for line in stream.getvalue().splitlines() if "municipality" in line and "−80" in line]
    assert len(table) == 4
    assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= 100 for line in table)


def test_show_for_scripts_has_the_three_tables(out: Path) -> None:
    plain = json.loads(CliRunner().invoke(cli.app, ["show", "--json", str(out)]).output)
    assert {"economics", "break_even", "better_than_before"} <= set(plain)
    assert {row["payer"] for row in plain["economics"]} >= {"municipality", "hospital_trust", "society"}


def test_chart_draws_it_again_in_norwegian(out: Path) -> None:
    told = CliRunner().invoke(cli.app, ["chart", str(out), "--lang", "nb"])
    assert str(out / "charts" / "economics.svg") in told.output


def test_the_shipped_experiment_names_economics_and_five_worlds() -> None:
    study = load_study(studies.ROOT / "experiments" / "cost_and_benefit.yaml")
    assert [point.name for point in study.points] == [
        "before",
        "hospital and municipality only",
        "as it was",
        "all join",
        "stay apart, mend the messages",
    ]
    assert study.base.economics is not None
    assert study.baseline_rule()["adoption.organisations"] == "[]"
