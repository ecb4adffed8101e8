"""What an experiment runs, the tables that come of it, and one real run from the file to the charts."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import studies

from flowsim.config.compose import Study, load_study
from flowsim.config.experiment_file import Until
from flowsim.errors import FaultsInFile
from flowsim.experiment.basis import basis_of, practices_joined
from flowsim.experiment.checks import check_file, check_study
from flowsim.experiment.drawing import chart_facts
from flowsim.experiment.jobs import Campaign, Kind, Program, code_hash
from flowsim.experiment.overview import Shown, aggregate, difference_table, overview, text_of
from flowsim.experiment.tables import comparison_table, read_csv, replications_enough, write_csv
from flowsim.labels import load_labels
from flowsim.vocabulary import COMPARISON_COLUMNS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return load_study(studies.write_study(tmp_path))


# --- jobs -------------------------------------------------------------------------------------


def test_a_jobs_hash_rests_on_design_replication_program_and_what_is_kept(tmp_path: Path) -> None:
    def first(
        text: str = studies.EXPERIMENT, program: Program = studies.PROGRAM, replication: int = 1
    ) -> str:
        study = load_study(studies.write_study(tmp_path, text))
        return Campaign(study, program).scenario_jobs(replication)[0].hash

    hashes = [
        first(),
        first(replication=2),
        first(studies.EXPERIMENT.replace("seed: 1", "seed: 2")),
        first(studies.EXPERIMENT + "keep: cases\n"),
        *(
            first(program=Program(*p))
            for p in (("2", "kernel", "code"), ("1.0", "k", "code"), ("1.0", "kernel", "c"))
        ),
    ]
    assert len(set(hashes)) == len(hashes)
    assert first() == hashes[0]
    assert first(studies.EXPERIMENT.replace("name: Small", "name: Other")) == hashes[0]


def test_twins_of_an_experiment_are_shared_and_keep_nothing_but_times(study: Study) -> None:
    jobs = Campaign(study, studies.PROGRAM).jobs(1)
    assert [job.kind for job in jobs] == [
        Kind.ideal,
        Kind.same_adoption,
        Kind.same_adoption,
        *[Kind.scenario] * 4,
    ]
    assert {job.keep for job in jobs if job.kind != Kind.scenario} == {"times"}
    needs = [job.needs for job in jobs if job.kind == Kind.scenario]
    assert needs[0] == needs[1] != needs[2] == needs[3]


def test_pathways_that_lead_to_no_care_need_no_twins(tmp_path: Path) -> None:
    text = studies.EXPERIMENT.replace("[gp_referral]", "[plain.yaml]")
    path = studies.write_study(tmp_path, text)
    (tmp_path / "plain.yaml").write_text(
        "id: plain\nlabel: Plain\nbasis: {source: invented, certainty: assumed}\n"
        "starts: {at: gp_office, arrivals: {per_year: 10}, urgency: {routine: 1}}\n"
        "steps:\n  - {id: send, do: send, message: lab_order, sender: origin, to: referral_intake}\n"
        "  - {id: stop, do: end}\n"
    )
    jobs = Campaign(load_study(path), studies.PROGRAM).jobs(1)
    assert {job.kind for job in jobs} == {Kind.scenario}


def test_the_hash_of_the_code_is_that_of_what_results_rest_on() -> None:
    assert len(code_hash()) == 16
    int(code_hash(), 16)


# --- tables -----------------------------------------------------------------------------------------


def test_csv_gives_back_every_number_exactly_and_has_one_kind_of_line_end(tmp_path: Path) -> None:
    values = [0.1 + 0.2, 1e-17, 12345678.125, math.nan, -0.0]
    frame = pd.DataFrame(
        {
            "scenario": 'a, "b"',
            "replication": 1,
            "measure": "NA",
            "group": "",
            "value": values,
            "unit": "days",
        }
    )
    path = tmp_path / "t.csv"
    write_csv(frame, path)
    again = read_csv(path)
    pd.testing.assert_frame_equal(again, frame, check_dtype=False, check_exact=True)
    assert b"\r" not in path.read_bytes()
    first = path.read_bytes()
    write_csv(again, path)
    assert path.read_bytes() == first


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    write_csv(comparison_table(pd.DataFrame(), pd.DataFrame(), {}), tmp_path / "t.csv")
    assert list(read_csv(tmp_path / "t.csv").columns) == list(COMPARISON_COLUMNS)


def _summary(spread: float, replications: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = [
        (name, r, "lost", "", 0.1 * (name == "b") + spread * ((-1) ** r) * (name == "b"), "share")
        for name in "ab"
        for r in range(1, replications + 1)
    ]
    summary = pd.DataFrame(rows, columns=["scenario", "replication", "measure", "group", "value", "unit"])
    return summary, pd.DataFrame({"scenario": ["a", "b"], "x.level": ["0", "1"]})


@pytest.mark.parametrize(("spread", "met"), [(0.0001, True), (0.1, False)])
def test_enough_replications_are_those_whose_differences_are_precise(spread: float, met: bool) -> None:
    summary, scenarios = _summary(spread, 6)
    until = Until(difference_in="lost", half_width="1 points")
    assert replications_enough(summary, scenarios, {"x.level": "0"}, until, 4, 2) is met


def test_where_nothing_is_compared_more_replications_change_nothing() -> None:
    summary, scenarios = _summary(0.1, 2)
    until = Until(difference_in="other", half_width=1)
    assert replications_enough(summary, scenarios, {"x.level": "0"}, until, 2, 2)


# --- what people read ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "sign", "text"),
    [
        (Shown(0.1234, 0.11, 0.14, "share"), False, "12 % (11–14)"),
        (Shown(0.1234, 0.1226, 0.1242, "share"), False, "12.34 % (12.26–12.42)"),
        (Shown(-0.005, -0.008, 0.002, "share"), True, "−0.5 points (−0.8 to +0.2)"),
        (Shown(28.0, 28.0 - 1e-14, 28.0 + 1e-14, "days"), False, "28 d"),
        (Shown(1234.0, math.nan, math.nan, "deliveries"), False, "1\u202f234"),
        (Shown(math.nan, math.nan, math.nan, "days"), False, "–"),
        (None, False, "–"),
    ],
)
def test_a_number_has_no_more_digits_than_its_interval_supports(
    shown: Shown | None, sign: bool, text: str
) -> None:
    assert text_of(shown, load_labels("en"), sign) == text


def test_the_overview_names_rows_by_their_settings_and_tells_the_difference() -> None:
    rows = [
        (f"level={level}", r, measure, "", value + 0.001 * r * (level == "1"), unit)
        for level, lost in (("0", 0.02), ("1", 0.05))
        for r in (1, 2, 3)
        for measure, value, unit in (
            ("referrals_created", 100.0, "deliveries"),
            ("referrals_lost_share", lost, "share"),
            ("not_started_share", 0.1, "share"),
        )
    ]
    summary = pd.DataFrame(rows, columns=["scenario", "replication", "measure", "group", "value", "unit"])
    scenarios = pd.DataFrame({"scenario": ["level=0", "level=1"], "x.level": ["0", "1"]})
    comparison = comparison_table(summary, scenarios, {"x.level": "0"})
    lines = overview(summary, scenarios, comparison).splitlines()
    assert lines[0].split("  ")[0] == "level"
    assert lines[1].split() == ["0", "100", "2", "%"]
    assert lines[-2] == "From 'level=0' to 'level=1': +3.2 points lost (+3.0 to +3.4, paired)"
    assert lines[-1].endswith("of cases had not begun by the end of follow-up and are counted.")
    assert "referrals_lost_share" in difference_table(comparison)
    assert "referrals_created" not in difference_table(comparison, ["referrals_lost_share"])
    plain = aggregate(summary, scenarios, comparison, {"experiment": "x", "replications": 3})
    assert json.loads(json.dumps(plain, allow_nan=False))["scenarios"][1] == {
        "scenario": "level=1",
        "x.level": "1",
    }


def test_a_result_rests_on_the_weakest_of_its_inputs(study: Study) -> None:
    assert basis_of(study.base) == "assumed"


def test_practices_on_the_platform_are_counted(study: Study) -> None:
    joined = [practices_joined(point.design)["practices_on_platform"] for point in study.points]
    assert joined == [0, 0, 3, 3]


def test_charts_are_told_targets_deadlines_and_outages(tmp_path: Path) -> None:
    text = studies.EXPERIMENT + "outages: [{relay: broker, at: 2024-01-11 12:00, lasts: 12 h}]\n"
    facts = chart_facts(load_study(studies.write_study(tmp_path, text)).base)
    assert facts["outages"] == [{"from_day": 10.5, "to_day": 11.0}]
    assert {target["pathway"] for target in facts["targets"]} == {"gp_referral"}
    assert all(days > 0 for days in facts["deadlines"].values())


# --- checks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[0 %, 100 %]", "[0 %, 4 practices]", '"4 practices" is more than the 3 practices'),
        ("gp_practices: 0 %\n", "gp_practices: 0 %\n  order: [gp_1, gp_x]\n", "gp_x"),
        (
            "gp_practices: 0 %\n",
            "gp_practices: 0 %\n  organisations: [hospitl]\n",
            "Did you mean 'hospital'?",
        ),
        ("seed: 1", "seed: 1\noutages: [{relay: brokr, per_year: 1, lasts: 1 h}]", "Did you mean 'broker'?"),
    ],
)
def test_names_and_numbers_that_the_region_does_not_have_are_told_before_a_run(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in studies.EXPERIMENT
    path = studies.write_study(tmp_path, studies.EXPERIMENT.replace(old, new, 1))
    with pytest.raises(FaultsInFile) as error:
        check_study(load_study(path))
    fault = error.value.faults[0]
    assert message in str(fault)
    assert fault.line is not None
    assert Path(fault.file).name == "small.yaml"


def test_a_pathway_that_names_a_service_nobody_has_is_told_with_both_names(tmp_path: Path) -> None:
    path = studies.write_study(tmp_path)
    topology = tmp_path / "minimal.yaml"
    topology.write_text(topology.read_text().replace("kind: referral_intake", "kind: laboratory"))
    with pytest.raises(FaultsInFile, match=r"(?s)referral_intake.*Minimal") as error:
        check_file(path)
    assert "gp_referral" in str(error.value)


def test_arrivals_above_capacity_are_a_warning(tmp_path: Path) -> None:
    text = studies.EXPERIMENT.replace(
        "vary:", "change: {pathways.gp_referral.starts.arrivals.per_year: 100000}\nvary:"
    )
    checked = check_file(studies.write_study(tmp_path, text))
    assert any("grows without bound" in warning for warning in checked.warnings)
    assert len(checked.warnings) == len(set(checked.warnings))


@pytest.mark.parametrize(
    "file",
    sorted(
        [
            *ROOT.glob("experiments/*.yaml"),
            *ROOT.glob("topologies/*.yaml"),
            *ROOT.glob("flowsim/catalogue/**/*.yaml"),
        ]
    ),
    ids=lambda path: path.name,
)
def test_every_shipped_file_is_right(file: Path) -> None:
    assert check_file(file).warnings == ()


# --- from the file to the charts -------------------------------------------------------------------------


def test_a_real_run_gives_tables_charts_and_what_was_kept(tmp_path: Path) -> None:
    """The smallest region, faults off in one scenario: nothing is lost there, and twins agree with it."""
    from flowsim.experiment.working import carry_out
    from flowsim.journal import read_header
    from flowsim.runner import Options, run_study

    text = studies.EXPERIMENT + "keep: events\n"
    text = text.replace("rates: [equal, platform_better]", "faults.everywhere: [0 %, 100 %]")
    text = text.replace("adoption.gp_practices: 0 %, rates: same", "adoption.gp_practices: 0 %")
    study = load_study(studies.write_study(tmp_path, text))
    out = tmp_path / "out"
    run_study(study, Options(out), studies.PROGRAM, carry_out)
    summary = read_csv(out / "summary.csv")
    whole = summary[summary["group"] == ""].set_index(["scenario", "replication", "measure"])["value"]
    for level in ("0 %", "100 %"):
        calm, real = (f"gp_practices={level}, everywhere={share}" for share in ("0 %", "100 %"))
        for replication in (1, 2):
            assert whole[calm, replication, "deliveries_created"] > 0
            assert whole[calm, replication, "deliveries_lost_share"] == 0
            assert whole[calm, replication, "silent_failure_share"] == 0
            assert whole[calm, replication, "excess_delay_days_mean_faults"] == 0
            assert (
                whole[real, replication, "referrals_created"] == whole[calm, replication, "referrals_created"]
            )
    folder = next(out.glob("runs/*/events.parquet")).parent
    assert {p.name for p in folder.iterdir()} == {
        "cases.parquet", "events.parquet", "messages.parquet", "profiles", "run_info.json", "summary.parquet",
    }  # fmt: skip
    assert read_header(folder / "events.parquet").end_hours == 6 * 168
    told = json.loads((folder / "run_info.json").read_text())
    assert told["rows"] == len(pd.read_parquet(folder / "events.parquet"))
    assert {"adoption", "backlog", "time_to_care"} <= {p.stem for p in (out / "charts").glob("*.svg")}
    for chart in (out / "charts").glob("*.csv"):
        assert "basis" in chart.read_text().splitlines()[0]
