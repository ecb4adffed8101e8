"""Cost and benefit per payer, reckoned by hand: items, forms, break-evens, draws, and what is left out."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from economy import BEFORE, amount, scenarios, settings, summary, tables

from flowsim import charts
from flowsim.economics import FORMS, ITEMS, LEVER_COLUMNS, PAYERS, SOCIETY, Tables
from flowsim.experiment.economics_overview import economics_block, plain
from flowsim.labels import LANGUAGES, load_labels

#: Simulated hours and days are doubled: 212,000 inhabitants in the file, 106,000 simulated.
DOUBLE = 2.0


@pytest.fixture(scope="module")
def found() -> Tables:
    return tables()


# --- items ------------------------------------------------------------------------------------------


def test_a_municipality_pays_for_the_platform_where_it_has_joined(found: Tables) -> None:
    assert amount(found, "before", "municipality", "operating_cost") == 0.0
    assert amount(found, "as it was", "municipality", "operating_cost") == -80e6
    # 20 actors, 70 % fixed and 85 MNOK: 25.5 + 59.5 · 34/20; 67 actors, 70 % fixed and 75 MNOK
    assert amount(found, "as it was", "municipality", "operating_cost", column="low") == pytest.approx(
        -126.65e6
    )
    dear = -(75e6 * 0.3 + 75e6 * 0.7 * 34 / 67)
    assert amount(found, "as it was", "municipality", "operating_cost", column="high") == pytest.approx(dear)


def test_the_introduction_is_shared_by_inhabitants_and_spread_over_the_years(found: Tables) -> None:
    a_year = 6.7e9 * 212_000 / 750_000 / 10
    assert amount(found, "all join", "hospital_trust", "introduction_cost") == pytest.approx(-0.75 * a_year)
    # with capital cost: its part is in the operating cost already
    assert amount(found, "all join", "municipality", "introduction_cost") == 0.0
    assert amount(found, "before", "hospital_trust", "introduction_cost") == 0.0
    on_top = tables(settings(introduction__in_operating_cost={}))
    assert amount(on_top, "all join", "municipality", "introduction_cost") == pytest.approx(-0.25 * a_year)


def test_staff_time_is_hours_times_the_hourly_cost_of_the_party(found: Tables) -> None:
    assert amount(found, "before", "practice", "staff_searching") == -DOUBLE * 10_000 * 900
    assert amount(found, "before", "practice", "staff_training") == -DOUBLE * 400 * 900
    assert amount(found, "all join", "municipality", "staff_doing_again") == pytest.approx(
        -DOUBLE * 800 * 550
    )
    assert amount(found, "before", SOCIETY, "staff_searching") == pytest.approx(
        -DOUBLE * (10_000 * 900 + 20_000 * 700 + 5_000 * 550)
    )


def test_a_waiting_day_moves_money_and_is_no_cost_to_society(found: Tables) -> None:
    price = DOUBLE * 1_000 * 5_745
    assert amount(found, "before", "municipality", "waiting_days") == -price
    assert amount(found, "before", "hospital_trust", "waiting_days") == price
    assert amount(found, "before", SOCIETY, "waiting_days") == 0.0
    of_2023 = tables(settings(year=2023))
    assert amount(of_2023, "before", "hospital_trust", "waiting_days") == DOUBLE * 1_000 * 5_508


def test_the_forms_of_the_benefit_stand_side_by_side(found: Tables) -> None:
    def benefits(scenario: str, payer: str = "municipality") -> list[float]:
        return [amount(found, scenario, payer, "benefit", form) for form in FORMS]

    saved = DOUBLE * (5_000 + 1_000) * 550
    assert benefits("all join") == pytest.approx([0.0, 45e6, 45e6, 0.2 * saved])
    assert benefits("as it was") == pytest.approx([0.0, 0.05 * 45e6, 0.0, 0.02 * saved])
    assert benefits("before") == [0.0, 0.0, 0.0, 0.0]
    # Others have no benefit that anybody reckoned, only what their staff saves; training is no saving.
    assert benefits("all join", "practice") == pytest.approx([0.0, 0.0, 0.0, 0.2 * DOUBLE * 13_000 * 900])


def test_there_is_no_reckoned_benefit_before_its_first_year() -> None:
    early = tables(settings(year=2024))
    assert amount(early, "all join", "municipality", "benefit", "proportional") == 0.0
    assert amount(early, "all join", "municipality", "benefit", "from_simulated_hours") > 0


def test_a_sum_has_costs_training_transfer_and_one_form_and_no_other_staff_time(found: Tables) -> None:
    def item(name: str, payer: str, form: str = "") -> float:
        return amount(found, "all join", payer, name, form)

    for form in FORMS:
        wanted = item("operating_cost", "municipality") + item("waiting_days", "municipality")
        wanted += item("benefit", "municipality", form)
        assert item("sum_without_legacy", "municipality", form) == pytest.approx(wanted)
        of_practices = item("staff_training", "practice") + item("benefit", "practice", form)
        assert item("sum_without_legacy", "practice", form) == pytest.approx(of_practices)
        parts = [item("sum_without_legacy", p, form) for p in ("municipality", "hospital_trust", "practice")]
        assert item("sum_without_legacy", SOCIETY, form) == pytest.approx(sum(parts))


def test_the_earlier_systems_have_a_range_and_no_value(found: Tables) -> None:
    assert math.isnan(amount(found, "before", "municipality", "legacy_cost"))
    ends = [amount(found, "before", "municipality", "legacy_cost", column=c) for c in ("low", "high")]
    assert ends == [-60e6, -10e6]
    assert amount(found, "all join", "municipality", "legacy_cost") == 0.0
    assert math.isnan(amount(found, "all join", "municipality", "difference", "none"))
    assert math.isnan(amount(found, "all join", SOCIETY, "difference", "none"))
    # Both stay with the earlier systems, so these cancel out.
    assert amount(found, "stay apart", "municipality", "difference", "none") == 0.0
    without = amount(found, "all join", "municipality", "difference_without_legacy", "none")
    assert without == -80e6


def test_fewer_or_more_who_share_the_fixed_part_change_the_operating_cost() -> None:
    costs = [
        amount(tables(settings(joining__actors=n)), "all join", "municipality", "operating_cost")
        for n in (20, 34, 67)
    ]
    assert costs == pytest.approx([-(48e6 + 32e6 * 34 / 20), -80e6, -(48e6 + 32e6 * 34 / 67)])


def test_levers_cost_hours_money_and_what_is_paid_once_over_the_years() -> None:
    rows = [
        ("stay apart", "watch", "municipality", 100.0, 5_000.0, 20_000.0),
        ("stay apart", "watch", "hospital_trust", 10.0, 0.0, 0.0),
        ("stay apart", "rule", "state", 50.0, 1_000.0, 0.0),
    ]
    found = tables(levers=pd.DataFrame(rows, columns=list(LEVER_COLUMNS)))
    assert amount(found, "stay apart", "municipality", "lever_cost") == -DOUBLE * (100 * 550 + 5_000 + 2_000)
    assert amount(found, "stay apart", "hospital_trust", "lever_cost") == -DOUBLE * 10 * 700
    assert amount(found, "stay apart", "state", "lever_cost") == -DOUBLE * 1_000
    assert ("economics_without_price", ("state",)) in found.notes
    table = found.economics
    assert table[(table["scenario"] == "before") & (table["item"] == "lever_cost")].empty
    wrong = pd.DataFrame([("stay apart", "watch", "nobody", 1, 1, 1)], columns=list(LEVER_COLUMNS))
    with pytest.raises(ValueError, match="unknown payer nobody"):
        tables(levers=wrong)


def test_displaced_consultations_are_a_number_without_a_price() -> None:
    found = tables(summary=summary(scenarios(), ("consultations_displaced",)))
    row = found.economics[found.economics["item"] == "consultations_displaced"].iloc[0]
    assert (row["payer"], row["value"], row["unit"]) == ("practice", 77.0, "a year")
    assert amount(found, "before", "practice", "sum_without_legacy", "none") == 0.0


# --- what is missing ---------------------------------------------------------------------------------


def test_what_was_not_measured_is_left_out_and_told() -> None:
    found = tables(summary=summary(scenarios(), ("staff_hours_chasing",)))
    items = set(found.economics["item"])
    assert "staff_chasing" in items and not {"staff_searching", "waiting_days"} & items
    lacking = ("staff_searching", "staff_doing_again", "staff_training", "waiting_days")
    assert ("economics_not_measured", lacking) in found.notes
    # What chasing saves is still a benefit; nobody's searching is taken to be nought.
    saved = 0.2 * DOUBLE * 3_000 * 900
    assert amount(found, "all join", "practice", "benefit", "from_simulated_hours") == pytest.approx(saved)
    nothing = tables(summary=summary(scenarios(), ()))
    assert "from_simulated_hours" not in set(nothing.economics["form"])
    assert set(nothing.better["form"]) == set(FORMS) - {"from_simulated_hours"}


def test_a_party_without_a_price_is_left_out_and_told() -> None:
    hourly = {"gp": "900 NOK"}
    found = tables(settings(hourly_cost=hourly))
    table = found.economics
    assert set(table[table["item"] == "staff_searching"]["payer"]) == {"practice", SOCIETY}
    assert ("economics_without_price", ("hospital", "municipality")) in found.notes


def test_without_a_comparison_there_are_amounts_and_nothing_else() -> None:
    found = tables(rule={})
    assert amount(found, "all join", "municipality", "benefit", "proportional") == 45e6
    assert found.better.empty and set(found.break_even["quantity"]) == {"actors"}
    assert "from_simulated_hours" not in set(found.economics["form"])
    assert ("economics_not_compared", ()) in found.notes


def test_payers_whose_running_cost_nobody_stated_are_told_and_marked(found: Tables) -> None:
    assert ("economics_not_stated", ("hospital_trust", "practice")) in found.notes
    marked = found.better[found.better["note"] == "running_cost_unknown"]
    assert set(marked["payer"]) == {"hospital_trust", "practice", SOCIETY}
    assert "stay apart" not in set(marked["scenario"])


def test_scenarios_need_to_say_who_is_on_the_platform() -> None:
    with pytest.raises(ValueError, match="lacks inhabitants"):
        tables(scenarios=scenarios().drop(columns="inhabitants"))


# --- break-evens ---------------------------------------------------------------------------------------


def even(found: Tables, scenario: str, payer: str, quantity: str, form: str) -> pd.Series:
    table = found.break_even
    here = (table["scenario"] == scenario) & (table["payer"] == payer)
    (row,) = table[here & (table["quantity"] == quantity) & (table["form"] == form)].index
    return table.loc[row]


def test_the_legacy_cost_at_which_the_municipality_breaks_even_is_what_it_pays_less_the_benefit(
    found: Tables,
) -> None:
    assert even(found, "all join", "municipality", "legacy_cost", "none")["value"] == 80e6
    row = even(found, "all join", "municipality", "legacy_cost", "proportional")
    assert (row["value"], row["note"], row["baseline"]) == (35e6, "", "before")
    assert row["low"] == 0.0 < row["value"] < row["high"]


def test_a_payer_that_no_cost_of_earlier_systems_makes_worse_off_has_a_reason_and_no_value() -> None:
    rich = tables(settings(benefit__realised="100 %", benefit__potential="100 MNOK"))
    row = even(rich, "all join", "municipality", "legacy_cost", "threshold")
    assert math.isnan(row["value"]) and row["note"] == "better_at_any_legacy_cost"
    hospital = even(rich, "all join", "hospital_trust", "legacy_cost", "none")
    assert hospital["note"] == "above_operating_cost" and hospital["value"] > 100e6
    table = rich.break_even
    assert table[(table["scenario"] == "stay apart") & (table["quantity"] == "legacy_cost")].empty


def test_the_realised_share_has_two_ends_where_the_legacy_cost_plays_a_part(found: Tables) -> None:
    row = even(found, "all join", "municipality", "realised_share", "proportional")
    # 80 MNOK less 60 or 10 of earlier systems, of a potential of 90
    assert (row["low"], row["high"]) == pytest.approx((20 / 90, 70 / 90))
    assert math.isnan(row["value"]) and row["note"] == "legacy_unknown"
    few = even(found, "as it was", "municipality", "realised_share", "proportional")
    assert few["note"] == "all_is_not_enough" and math.isnan(few["low"])
    assert (
        even(found, "as it was", "municipality", "realised_share", "threshold")["note"]
        == "share_moves_nothing"
    )


def test_the_realised_share_has_a_value_where_the_legacy_cost_plays_none() -> None:
    rule = {"scenario.name": "as it was"}
    levers = pd.DataFrame([("all join", "push", "municipality", 0, 9e6, 0)], columns=list(LEVER_COLUMNS))
    found = tables(rule=rule, levers=levers)
    row = even(found, "all join", "municipality", "realised_share", "proportional")
    assert row["value"] == row["low"] == row["high"] == pytest.approx(18e6 / (0.95 * 90e6))
    assert row["note"] == ""


def test_the_number_of_actors_follows_from_fixed_by_n_and_variable(found: Tables) -> None:
    row = even(found, "all join", "municipality", "actors", "")
    assert row["value"] == pytest.approx(32e6 * 34 / (70e6 - 48e6))
    assert math.isnan(row["high"]) and row["low"] < row["value"]
    for target, note in (("40 MNOK", "variable_cost_alone_is_above"), ("60 MNOK", "more_than_there_are")):
        none = even(tables(settings(joining__target=target)), "all join", "municipality", "actors", "")
        assert math.isnan(none["value"]) and none["note"] == note
    assert "before" not in set(found.break_even["scenario"])


# --- draws ----------------------------------------------------------------------------------------------


def better(found: Tables, scenario: str, payer: str, form: str) -> float:
    table = found.better
    here = (table["scenario"] == scenario) & (table["payer"] == payer) & (table["form"] == form)
    (value,) = table[here]["better"]
    return float(value)


def test_the_share_of_draws_is_that_of_the_assumption_that_decides() -> None:
    """Only the legacy cost varies, from 10 to 60 MNOK, and 35 is what it takes: half of the draws."""
    fixed = {
        "operating_cost__municipality": "80 MNOK",
        "joining__fixed_share": "40 %",
        "joining__actors": 34,
        "introduction__in_operating_cost__municipality": "100 %",
        "benefit__potential": "90 MNOK",
        "benefit__realised": "50 %",
        "benefit__threshold": "50 %",
        "inhabitants": 212_000,
    }
    found = tables(settings(**fixed))
    assert better(found, "all join", "municipality", "proportional") == pytest.approx(0.5, abs=0.02)
    assert better(found, "all join", "municipality", "none") == 0.0
    assert better(found, "as it was", "municipality", "threshold") == 0.0
    row = found.better.iloc[0]
    assert (row["draws"], row["unit"]) == (10_000, "share of draws of the assumptions, not a probability")


def test_draws_are_the_same_each_time_and_others_with_another_seed() -> None:
    one, again = tables().better, tables().better
    pd.testing.assert_frame_equal(one, again, check_exact=True)
    other = tables(settings(draws__seed=7)).better
    assert not np.array_equal(one["better"], other["better"])
    assert np.allclose(one["better"], other["better"], atol=0.03)


def test_draws_are_common_so_that_equal_scenarios_are_equally_often_better() -> None:
    table = scenarios()
    twice = pd.concat(
        [
            table,
            table[table["scenario"] == "all join"].assign(
                **{"scenario": "the same", "scenario.name": "the same"}
            ),
        ]
    )
    figures = summary(
        twice, factors={"before": 1, "as it was": 0.98, "all join": 0.8, "stay apart": 0.95, "the same": 0.8}
    )
    found = tables(scenarios=twice, summary=figures)
    for payer in ("municipality", "hospital_trust", SOCIETY):
        for form in FORMS:
            assert better(found, "all join", payer, form) == better(found, "the same", payer, form)


def test_more_replications_are_no_more_draws_and_leave_the_shares_as_they_are() -> None:
    many = tables(summary=summary(scenarios(), replications=9)).better
    pd.testing.assert_frame_equal(tables().better, many)


def test_what_is_the_same_in_all_draws_is_not_called_worse() -> None:
    table = tables().better
    here = table[(table["scenario"] == "stay apart") & (table["payer"] == "municipality")]
    assert (here[here["form"] == "none"]["same"] == 1.0).all()


def test_a_difference_that_the_replications_cannot_tell_from_luck_counts_as_the_same() -> None:
    lucky = summary(scenarios(), replications=4)
    here = lucky["measure"] == "discharge_waiting_days"
    lucky.loc[here & (lucky["scenario"] == "stay apart"), "value"] += [30.0, -20.0, 25.0, -10.0]
    row = tables(summary=lucky).better
    row = row[(row["scenario"] == "stay apart") & (row["form"] == "none")].set_index("payer")
    assert row.loc["municipality", "same"] == row.loc["hospital_trust", "same"] == 1.0
    sure = lucky.copy()
    sure.loc[here & (lucky["scenario"] == "stay apart"), "value"] = 500.0
    row = tables(summary=sure).better
    row = row[(row["scenario"] == "stay apart") & (row["form"] == "none")].set_index("payer")
    assert row.loc["municipality", "better"] == 1.0 and row.loc["hospital_trust", "better"] == 0.0


def test_draws_are_spread_evenly_over_rate_sets() -> None:
    """Hours are saved under one of the two rate sets only: practices are better off in half of the draws."""
    table = scenarios(("equal", "worse"))
    figures = summary(table)
    spoilt = figures["scenario"].str.endswith("rates=worse") & figures["unit"].eq("hours a year")
    worse = summary(table, factors=dict.fromkeys(("before", "as it was", "all join", "stay apart"), 1.0))
    figures.loc[spoilt, "value"] = worse.loc[spoilt, "value"]
    found = tables(scenarios=table, summary=figures, rule={**BEFORE, "rates": "same"})
    assert set(found.better["scenario"]) == {"as it was", "all join", "stay apart"}
    assert set(found.better["baseline"]) == {"before"} and set(found.better["rate_sets"]) == {2}
    assert better(found, "all join", "practice", "from_simulated_hours") == 0.5


# --- what people read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_payer_item_form_and_note_has_a_word(language: str) -> None:
    labels = load_labels(language)
    assert {*PAYERS, SOCIETY} == set(labels.tables["payer"]) == set(labels.tables["the_payer"])
    assert set(ITEMS) == set(labels.tables["economic_item"])
    assert set(FORMS) == set(labels.tables["benefit_form"])
    notes = {*tables().break_even["note"], *tables().better["note"]} - {""}
    assert notes <= set(labels.tables["break_even_note"])


FACTS = {"year": 2025, "inhabitants": 212_000.0, "target": 70e6, "possible": 67.0}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ("share of draws of the assumptions, not a probability", "hospital trust", "50 of 67"),
        ),
        ("nb", ("andel av trekningene av forutsetningene, ingen sannsynlighet", "helseforetak", "50 av 67")),
    ],
)
def test_the_console_shows_the_table_and_what_is_left_out(language: str, words: tuple[str, ...]) -> None:
    found = tables(summary=summary(scenarios(), ("staff_hours_chasing",)))
    by_name = {
        "economics": found.economics,
        "break_even": found.break_even,
        "better_than_before": found.better,
    }
    text = plain(economics_block(by_name, {**FACTS, "notes": found.notes}, language))
    for word in words:
        assert word in text
    lines = text.splitlines()
    row = next(line for line in lines if line.startswith(("all join", "alle med")))
    assert "−80" in row and "0.0 / 45 / 45 / 0.0" in row.replace(",", ".") and "35 … 80" in row
    first = next(line for line in lines if line.startswith("before"))
    assert "−60 … −10" in first


def chart(found: Tables, language: str = "en", table: pd.DataFrame | None = None) -> charts.Chart:
    by_name = {
        "economics": found.economics,
        "break_even": found.break_even,
        "better_than_before": found.better,
    }
    named = scenarios() if table is None else table
    return charts.economics(by_name, named.drop(columns="scenario.name"), FACTS, 2, language=language)


def test_the_title_says_what_it_takes_for_the_last_world_to_pay_off(found: Tables) -> None:
    assert charts.title_of(chart(found).figure) == (
        "In the model, 'all join' pays off for the municipality only if its earlier systems cost more than "
        "35 to 80 MNOK a year, depending on the form of the benefit"
    )
    assert "lønner «alle med» seg for kommunen bare hvis" in charts.title_of(chart(found, "nb").figure)


def test_the_title_speaks_of_the_difference_where_nobody_changes_systems() -> None:
    found = tables(rule={"scenario.name": "as it was"}, summary=summary(scenarios(), ()))
    drawn = scenarios()[lambda t: t["municipality_on_platform"] == 1]
    kept = {
        name: frame[frame["scenario"].isin(set(drawn["scenario"]))]
        for name, frame in zip(("economics", "break_even", "better_than_before"), found[:3], strict=True)
    }
    title = charts.title_of(charts.economics(kept, drawn.drop(columns="scenario.name"), FACTS, 2).figure)
    assert title == (
        "In the model, the municipality is 0 to 45 MNOK a year better off at all join than at as it was, "
        "by form of the benefit"
    )


def test_the_chart_has_no_point_for_what_nobody_stated_and_a_bar_for_its_range(found: Tables) -> None:
    frame = chart(found).frame
    here = frame[(frame["scenario"] == "all join") & (frame["payer"] == "municipality")]
    assert (here["legacy_low"] == 10).all() and (here["legacy_high"] == 60).all()
    assert here["value"].notna().all()
    apart = frame[(frame["scenario"] == "stay apart") & (frame["payer"] == "municipality")]
    assert (apart["legacy_high"] == 0).all()
    with pytest.raises(ValueError, match="nothing is compared"):
        chart(tables(rule={}))
