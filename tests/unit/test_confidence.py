"""The tables that say how sure results are: written by a run, read back, taken away when out of date."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import studies

from flowsim.config.compose import load_study
from flowsim.errors import FaultsInFile
from flowsim.experiment.confidence import TABLES, changes_inside, read
from flowsim.experiment.working import carry_out
from flowsim.runner import Options, run_study
from flowsim.runner.output import Results

TEXT = studies.EXPERIMENT.replace("seed: 1\n", "seed: 1\nkeep: messages\n").replace(
    "compare: {to:", "compare: {measures: [referrals_lost_share, delayed_start_share], to:"
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output folder of a small study that keeps its messages."""
    folder = tmp_path_factory.mktemp("confidence")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flowsim.runner.output.draw_charts", lambda *_: ([], []))
        study = load_study(studies.write_study(folder, TEXT))
        run_study(study, Options(folder / "out", replications=3), studies.PROGRAM, carry_out)
    return folder / "out"


def test_a_run_writes_what_says_how_sure_it_is(out: Path) -> None:
    assert {name for name in TABLES if (out / f"{name}.csv").is_file()} == set(TABLES)
    results = Results(out)
    compared = set(results.comparison[["scenario", "measure", "group"]].itertuples(index=False, name=None))
    pairing = results.confidence("pairing")
    assert set(pairing[["scenario", "measure", "group"]].itertuples(index=False, name=None)) <= compared
    lost = pairing[(pairing["measure"] == "referrals_lost_share") & (pairing["group"] == "")]
    assert (lost["replications"] == 3).all()


def test_declared_measures_are_a_family_of_their_own(out: Path) -> None:
    many = Results(out).confidence("many_comparisons")
    declared = many[many["family"] == "declared"]
    assert set(declared["measure"]) == {"referrals_lost_share", "delayed_start_share"}
    assert (declared["group"] == "").all()


def test_rare_shares_count_what_the_summary_counts(out: Path) -> None:
    results = Results(out)
    rare, summary = results.confidence("rare_shares"), results.summary
    created = summary[summary["measure"] == "referrals_created"].groupby(["scenario", "group"])["value"].sum()
    lost = rare[rare["measure"] == "referrals_lost_share"].set_index(["scenario", "group"])
    assert lost["trials"].to_dict() == created.loc[lost.index].astype(int).to_dict()


def test_cases_are_followed_into_the_other_world(out: Path) -> None:
    results = Results(out)
    cases, comparison = results.confidence("case_differences"), results.comparison
    whole = cases[cases["group"] == ""].set_index("scenario")
    expected = comparison[(comparison["measure"] == "time_to_care_days_mean") & (comparison["group"] == "")]
    expected = expected.set_index("scenario")
    assert (whole["unmatched"] == 0).all()
    for name in ("difference", "low", "high"):
        assert whole[name].to_dict() == pytest.approx(expected.loc[whole.index, name].to_dict(), abs=1e-9)


def test_shares_from_chances_stand_beside_those_from_coins(out: Path) -> None:
    shares = Results(out).confidence("conditional_shares")
    assert set(shares["measure"]) == {"deliveries_lost_share", "referrals_lost_share"}
    assert ((shares["low"] <= shares["share"]) & (shares["share"] <= shares["high"])).all()


def test_a_table_that_does_not_hold_any_more_is_taken_away(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flowsim.runner.output.draw_charts", lambda *_: ([], []))
        study = load_study(studies.write_study(tmp_path))
        run_study(study, Options(folder), studies.PROGRAM, studies.pretend)
        for name in TABLES:
            (folder / f"{name}.csv").write_text("group\n", encoding="utf-8")
        run_study(study, Options(folder), studies.PROGRAM, studies.pretend)
    left = {name for name in TABLES if (folder / f"{name}.csv").is_file()}
    assert left == {"pairing", "many_comparisons", "rare_shares"}


def test_a_folder_without_a_table_has_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path / "pairing.csv").empty


def test_words_that_look_like_nothing_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "pairing.csv"
    pd.DataFrame({"scenario": ["NA", "none"], "group": ["", ""], "low": [1.5, None]}).to_csv(
        path, index=False
    )
    found = read(path)
    assert found["scenario"].tolist() == ["NA", "none"]
    assert found["group"].tolist() == ["", ""]
    assert found["low"].isna().tolist() == [False, True]


def test_a_measure_that_is_not_known_cannot_be_declared(tmp_path: Path) -> None:
    text = TEXT.replace("delayed_start_share", "delayed_start_shares")
    with pytest.raises(FaultsInFile, match=r"(?s)small.yaml:\d+.*is not a measure.*delayed_start_share"):
        load_study(studies.write_study(tmp_path, text))


def test_the_measure_of_the_stopping_rule_is_declared_where_none_is_named(tmp_path: Path) -> None:
    text = studies.EXPERIMENT.replace(
        "at_most: 2}", "at_most: 2, until: {difference_in: referrals_lost_share, half_width: 1 points}}"
    )
    assert load_study(studies.write_study(tmp_path, text)).declared_measures() == ("referrals_lost_share",)
    assert load_study(studies.write_study(tmp_path)).declared_measures() == ()


def test_a_roll_out_is_transient(tmp_path: Path) -> None:
    text = studies.EXPERIMENT.replace("vary:\n", "vary:\n  view: [settled, transition]\n")
    study = load_study(studies.write_study(tmp_path, text))
    assert {point.design.view: changes_inside(point.design) for point in study.points} == {
        "settled": False,
        "transition": True,
    }


def test_the_figures_on_delays_come_from_such_a_folder(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finished are a part of all, and a log that ends after everybody was followed gives the count."""
    monkeypatch.syspath_prepend(str(studies.ROOT))
    from benchmarks import delays

    worlds = tuple(f"gp_practices={level}, rates=equal" for level in ("0 %", "100 %"))
    monkeypatch.setattr(delays, "WORLDS", worlds)
    monkeypatch.setattr(delays, "EXPORTS", ((14.0, 10.0), (35.0, 20.0)))
    found = delays.measured(out)["all"]
    assert found["whole"]["few"][0] > 0
    assert found["aj_35_20"]["few"] == pytest.approx(found["count_35_20"]["few"])
    assert found["aj_35_20_off"]["few"][0] == pytest.approx(0.0, abs=1e-12)
    assert found["area_35"]["few"] == pytest.approx(found["whole"]["few"])
    assert found["seen_14_10"]["few"][0] <= found["count_14_10"]["few"][0]
