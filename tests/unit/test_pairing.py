"""Reasons for little gain, many comparisons, cases one by one, and how they are told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from flowsim.experiment.confidence_overview import case_block, pairing_block
from flowsim.experiment.overview import difference_table
from flowsim.statistics import (
    CASE_COLUMNS,
    MANY_COLUMNS,
    PAIRING_COLUMNS,
    Family,
    Reason,
    case_differences,
    case_pairs,
    differences,
    holm,
    many_comparisons,
    nested_gain,
    paired_difference,
    paired_p,
    pairing_gains,
)


def table(unit: str = "days", **measures: tuple[object, object]) -> pd.DataFrame:
    """Return differences of measures with so many values of a scenario and its baseline."""
    frames = [
        pd.DataFrame({
            "scenario": "new", "baseline": "old", "replication": np.arange(1, len(np.atleast_1d(one)) + 1),
            "measure": name, "group": "", "value": np.asarray(one, float),
            "baseline_value": np.asarray(other, float), "unit": unit,
        })
        for name, (one, other) in measures.items()
    ]  # fmt: skip
    whole = pd.concat(frames, ignore_index=True)
    return whole.assign(difference=whole["value"] - whole["baseline_value"])


LUCK = np.random.default_rng(5).normal(size=(3, 200))


@pytest.mark.parametrize(
    ("one", "other", "unit", "reason"),
    [
        (LUCK[0], LUCK[0] + 0.1 * LUCK[1], "days", ""),
        (LUCK[0], LUCK[1], "days", (Reason.little_shared, Reason.opposed)),
        (LUCK[0], -LUCK[0] + 0.1 * LUCK[1], "days", Reason.opposed),
        (LUCK[0], 0.05 * LUCK[0], "days", Reason.one_sided),
        (LUCK[0], np.zeros(200), "days", Reason.one_sided),
        (0.20 + 0.001 * LUCK[0], 0.01 + 0.001 * LUCK[1], "share", Reason.other_events),
        ([1, 2, 3, 4], [4, 1, 2, 3], "days", Reason.few_replications),
        ([1, 2], [2, 1], "days", Reason.few_replications),
        (np.ones(200), np.ones(200), "days", Reason.nothing_varies),
        (LUCK[0] + 3, LUCK[0], "days", ""),
    ],
)
def test_little_gain_has_a_reason(one: object, other: object, unit: str, reason: object) -> None:
    found = pairing_gains(table(unit, it=(one, other)))
    assert tuple(found.columns) == PAIRING_COLUMNS
    allowed = reason if isinstance(reason, tuple) else (reason,)
    assert found["reason"].iloc[0] in [str(each) for each in allowed]


def test_the_table_agrees_with_the_single_difference() -> None:
    one, other = LUCK[0, :30], LUCK[0, :30] + 0.5 * LUCK[1, :30]
    row = pairing_gains(table(it=(one, other))).iloc[0]
    single = paired_difference(one, other)
    assert (row["pairing_gain"], row["low"], row["high"]) == pytest.approx(single[4:])
    assert row["low"] < row["pairing_gain"] < row["high"]
    assert row["correlation"] == pytest.approx(np.corrcoef(one, other)[0, 1])


def test_a_constant_difference_gains_without_limit_whatever_the_rounding() -> None:
    row = pairing_gains(table(it=(LUCK[0] + 0.1, LUCK[0]))).iloc[0]
    assert row["pairing_gain"] == np.inf
    assert np.isnan(row["low"]) and row["reason"] == ""


def test_nested_events_gain_as_the_rare_formula_says() -> None:
    assert float(nested_gain(0.003, 0.001)) == pytest.approx(2.0, rel=0.002)
    assert float(nested_gain(0.01, 0.01)) == np.inf


# --- many comparisons -----------------------------------------------------------------------------------


def test_holm_steps_down() -> None:
    """By hand, of four: 4 · 0.005 = 0.02, 3 · 0.01 = 0.03, 2 · 0.03 = 0.06, and 0.04 no less than that."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]).size == 0


def test_holm_keeps_the_chance_of_any_false_alarm() -> None:
    """Ten comparisons of nothing, 4,000 times: in 5 of 100 any of them is below 5 %."""
    p = np.random.default_rng(2).uniform(size=(4000, 10))
    assert np.mean([holm(row).min() < 0.05 for row in p]) == pytest.approx(0.05, abs=0.011)


def test_a_paired_p_value_is_students() -> None:
    data = table(a=(LUCK[0, :12] + 0.3, LUCK[0, :12] + LUCK[1, :12]), b=([1, 1], [1, 1]), c=([2, 2], [1, 1]))
    data = pd.concat([data, table(d=([1.0], [2.0]))])
    p = paired_p(data).set_index("measure")["p"]
    assert p["a"] == pytest.approx(stats.ttest_1samp(data[data["measure"] == "a"]["difference"], 0).pvalue)
    assert (p["b"], p["c"]) == (1.0, 0.0)
    assert np.isnan(p["d"])


def test_declared_measures_and_the_rest_are_two_families() -> None:
    shifted = {f"m{i}": (LUCK[0, :20] + 0.4 * LUCK[1, i : i + 20] + 0.02 * i, LUCK[0, :20]) for i in range(8)}
    data = table(**shifted)
    split = pd.concat([data, data.assign(group="urgency=urgent")])
    found = many_comparisons(split, ["m7", "m6"]).set_index(["measure", "group"])
    assert tuple(found.reset_index()[list(MANY_COLUMNS)].columns) == MANY_COLUMNS
    declared = found[found["family"] == Family.declared]
    assert sorted(declared.index) == [("m6", ""), ("m7", "")]
    assert (declared["of"] == 2).all()
    assert declared["adjusted_p"].to_numpy() == pytest.approx(holm(declared["p"]))
    rest = found[found["family"] == Family.explored]
    assert (rest["of"] == 14).all()
    assert rest["adjusted_p"].to_numpy() == pytest.approx(stats.false_discovery_control(rest["p"]))
    assert (found["adjusted_p"] >= found["p"] - 1e-12).all()


# --- cases ----------------------------------------------------------------------------------------------


def cases(*days: float, first: int = 0, urgency: str = "urgent") -> pd.DataFrame:
    number = np.arange(first, first + len(days))
    return pd.DataFrame(
        {"case": number, "pathway": "referral", "urgency": urgency, "time_to_care_days": days}
    )


def test_cases_are_matched_by_their_number() -> None:
    one, other = cases(1.0, 2.0, np.nan, 9.0), cases(1.5, 2.5, 3.0, first=1)
    both = case_differences(one, other)
    assert both["case"].tolist() == [1, 3]
    assert both["difference"].tolist() == [0.5, 6.0]


def test_the_mean_difference_of_cases_has_the_interval_of_replications() -> None:
    pairs = [(cases(1, 2, 3 + r), cases(1, 3, 3)) for r in range(1, 5)]
    frames = [("new", "old", r, one, other) for r, (one, other) in enumerate(pairs, 1)]
    found = case_pairs(frames).set_index("group")
    assert tuple(found.reset_index()[list(CASE_COLUMNS)].columns) == CASE_COLUMNS
    assert set(found.index) == {"", "pathway=referral", "urgency=urgent", "pathway=referral,urgency=urgent"}
    whole = found.loc[""]
    expected = paired_difference([2 + r / 3 for r in range(1, 5)], [7 / 3] * 4)
    assert (whole["difference"], whole["low"], whole["high"]) == pytest.approx(expected[:3])
    assert (whole["cases"], whole["replications"], whole["unmatched"]) == (12, 4, 0)
    shares = [whole[name] for name in ("sooner_share", "same_share", "later_share")]
    assert shares == pytest.approx([1 / 3] * 3)
    assert whole["difference_where_any"] == pytest.approx((1 + 2 + 3 + 4 - 4) / 8)


def test_a_case_in_one_world_only_is_counted_as_unmatched() -> None:
    found = case_pairs([("new", "old", 1, cases(1, 2), cases(1, 2, 3))])
    assert found["unmatched"].iloc[0] == 1


# --- what is printed ------------------------------------------------------------------------------------


def test_the_console_tells_gains_and_reasons() -> None:
    data = table(shared=(LUCK[0], LUCK[0] + 0.1 * LUCK[1]), own=(LUCK[0], 0 * LUCK[0]))
    text = pairing_block(pairing_gains(data))
    assert "it varies in one of the two worlds only" in text
    assert "1 of 2 comparisons gain 1.5 or more" in text
    assert "own" not in pairing_block(pairing_gains(data), ["shared"]).splitlines()[1]
    assert pairing_block(pd.DataFrame()) == "Nothing is compared here."


def test_the_console_marks_declared_measures() -> None:
    data = table(a=(LUCK[0] + 1, LUCK[0] + 0.1 * LUCK[1]), b=(LUCK[0], LUCK[0] + 0.1 * LUCK[1]))
    text = difference_table(differences(data), (), many_comparisons(data, ["a"]))
    a, b = text.splitlines()[1:3]
    assert a.endswith("<0.001*")
    assert not b.endswith("*")


def test_the_console_tells_cases() -> None:
    found = case_pairs([("new", "old", r, cases(1, 2 + r), cases(1, 2)) for r in (1, 2)])
    assert "one possible pairing" in case_block(found).lower()
    assert "keep: cases" in case_block(pd.DataFrame())
