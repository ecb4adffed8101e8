"""Views, joining orders and levers are lines of the adoption chart; seeds of an order are one point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flowsim import charts, statistics
from flowsim.charts import inputs
from flowsim.charts.lines import line_label, lines, pooled
from flowsim.config import compose
from flowsim.config.compose import load_study
from flowsim.experiment.drawing import first_order
from flowsim.experiment.overview import overview
from flowsim.labels import load_labels
from flowsim.runner.output import view_of
from tests import studies

ON = {"0 %": 0, "50 %": 20, "100 %": 40}


def grid(**settings: list[str]) -> pd.DataFrame:
    """Return the scenarios of a full grid over levels and other settings (``__`` for a dot)."""
    names = ["adoption.gp_practices", *(name.replace("__", ".") for name in settings)]
    table = pd.MultiIndex.from_product([list(ON), *settings.values()], names=names).to_frame(index=False)
    table.insert(
        0, "scenario", [", ".join(f"{n}={v}" for n, v in row.items()) for row in table.to_dict("records")]
    )
    on = table["adoption.gp_practices"].map(ON)
    return table.assign(practices_on_platform=on, practices_total=40)


def results(scenarios: pd.DataFrame, effect: Any) -> pd.DataFrame:
    """Return a summary in which lost referrals follow from a row of the scenarios."""
    rows = [
        (row["scenario"], r, "referrals_lost_share", "", effect(row) + 1e-4 * r, "share")
        for row in scenarios.to_dict("records")
        for r in (1, 2, 3)
    ]
    return pd.DataFrame(rows, columns=["scenario", "replication", "measure", "group", "value", "unit"])


def drawn(scenarios: pd.DataFrame, summary: pd.DataFrame, **rule: str) -> charts.Chart:
    rule = {"adoption.gp_practices": "0 %", **{k.replace("__", "."): v for k, v in rule.items()}}
    compared = statistics.compare(summary, scenarios, rule)
    return charts.adoption(summary, scenarios, compared, view="both")


def test_settings_without_a_dot_are_those_that_an_experiment_can_vary() -> None:
    assert set(compose._SETTINGS_ONLY) - {"adoption", "watch"} == statistics.PLAIN_SETTINGS


def test_each_view_is_a_line_and_the_title_speaks_of_both() -> None:
    scenarios = grid(view=["settled", "transition"])
    worse = {"settled": 0.01, "transition": 0.05}
    summary = results(
        scenarios, lambda row: 0.02 + worse[row["view"]] * ON[row["adoption.gp_practices"]] / 40
    )
    chart = drawn(scenarios, summary, view="same")
    assert charts.title_of(chart.figure) == (
        "In the model, the share of referrals lost, 100\u202f% adoption against 0\u202f% adoption: "
        "settled 1.00 points higher, transition 5.00 points higher"
    )
    part = chart.frame[chart.frame["quantity"] == "level"]
    assert set(part["view"]) == {"settled", "transition"}
    assert part.groupby("line")["level"].apply(list).tolist() == [list(ON)] * 2
    texts = [text.get_text() for axes in chart.figure.axes for text in axes.texts]
    assert {"settled", "transition"} <= set(texts)
    assert any("settled and transition" in text.get_text() for text in chart.figure.texts)


def test_with_one_view_nothing_is_said_of_another() -> None:
    scenarios = grid(rates=["equal", "platform_worse"])
    summary = results(scenarios, lambda _: 0.02)
    chart = charts.adoption(summary, scenarios, pd.DataFrame(), view="transition")
    assert set(chart.frame["view"]) == {"transition"} and set(chart.frame["line"]) == {""}
    assert charts.title_of(chart.figure).startswith("Under equal rates, ")


def with_orders() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scenarios with three seeds of a random order, and the largest first by name."""
    scenarios = grid(adoption__order_seed=["1", "2", "3"])
    scenarios["adoption.order"] = "random"
    named = grid().assign(**{"adoption.order": "largest_first", "adoption.order_seed": "none"})
    named["scenario"] = [f"largest, {level}" for level in ON]
    odd = named.iloc[:1].assign(scenario="no hospital", **{"adoption.organisations": "[]"})
    table = pd.concat([scenarios, named, odd], ignore_index=True)
    table["adoption.organisations"] = table["adoption.organisations"].fillna("none")
    table.loc[table["adoption.organisations"] == "[]", "practices_on_platform"] = 0

    def effect(row: dict[str, Any]) -> float:
        seed = 0 if row["adoption.order_seed"] == "none" else int(row["adoption.order_seed"])
        return 0.02 + 0.001 * seed * ON[row["adoption.gp_practices"]] / 40

    return table, results(table, effect)


def test_seeds_of_an_order_are_one_point_with_the_range_over_them() -> None:
    scenarios, summary = with_orders()
    known = lines(scenarios)
    assert set(known["line"]) == {"adoption.order=random", "adoption.order=largest_first"}
    assert "no hospital" not in set(known["scenario"])
    level, _ = pooled(summary, pd.DataFrame(), known)
    top = level.set_index("scenario").loc[known.loc[known["level"] == "100 %", "point"].iloc[0]]
    assert top["mean"] == pytest.approx(0.0222) and top["orders"] == 3
    assert (top["order_low"], top["order_high"]) == (pytest.approx(0.0212), pytest.approx(0.0232))
    assert top["high"] - top["low"] == pytest.approx(2 * 4.303 * 1e-4 / 3**0.5, rel=1e-3)
    alone = level[level["scenario"].str.startswith("largest")]
    assert alone["order_low"].isna().all()


def test_the_range_over_orders_is_drawn_and_named_as_no_simulation_interval(tmp_path: Path) -> None:
    scenarios, summary = with_orders()
    chart = drawn(
        scenarios,
        summary,
        adoption__order_seed="same",
        adoption__order="same",
        adoption__organisations="same",
    )
    legend = [text.get_text() for text in chart.figure.legends[0].get_texts()]
    assert "range over 3 joining orders (lowest to highest)" in legend
    texts = {text.get_text() for axes in chart.figure.axes for text in axes.texts}
    assert {"random order", "largest first"} <= texts
    differences = chart.frame[chart.frame["quantity"] == "difference"].set_index(["line", "level"])
    row: Any = differences.loc[("adoption.order=random", "100 %")]
    assert (row["value"], row["order_low"], row["order_high"]) == pytest.approx((0.002, 0.001, 0.003))
    files = charts.save(chart, tmp_path, "adoption")
    again = charts.redraw("adoption", charts.load(files[2]))
    assert charts.title_of(again.figure) == charts.title_of(chart.figure)


def test_charts_but_that_of_levels_show_the_first_order() -> None:
    scenarios, _ = with_orders()
    assert set(first_order(scenarios)["adoption.order_seed"]) == {"1"}
    assert len(first_order(grid())) == 3


def test_the_console_tells_the_range_over_orders() -> None:
    scenarios, summary = with_orders()
    text = overview(summary, scenarios, pd.DataFrame(columns=["measure", "group", "difference", "baseline"]))
    told = [line for line in text.splitlines() if "joining orders" in line]
    assert told[-1] == (
        "Referrals lost at 100\u202f%, mean and range over 3 joining orders "
        "(lowest to highest, no simulation interval): 2.22 % (2.12–2.32)"
    )
    assert len(told) == 3


def test_scenarios_that_nothing_tells_apart_but_their_names_are_levels_of_their_own() -> None:
    table = grid(view=["settled", "transition"])
    twice = pd.concat([table, table.assign(scenario=table["scenario"] + " (2)")], ignore_index=True)
    known = lines(twice)
    assert set(known["line"]) == {""} and (known["point"] == known["scenario"]).all()
    assert lines(pd.DataFrame({"scenario": ["before", "after"]}))["level"].tolist() == ["before", "after"]


@pytest.mark.parametrize(
    ("line", "rates", "english", "norwegian"),
    [
        ("view=settled", "", "settled", "i drift"),
        ("view=transition", "equal", "equal rates, transition", "like rater, overgang"),
        ('use_levers=["paper_fallback"]', "", "paper and phone", "papir og telefon"),
        ("use_levers=[]", "", "without", "uten"),
        (
            "adoption.order=most_connected;view=settled",
            "",
            "most connected first, settled",
            "mest forbundne først, i drift",
        ),
    ],
)
def test_lines_are_named_in_words(line: str, rates: str, english: str, norwegian: str) -> None:
    assert line_label(load_labels("en"), line, rates) == english
    assert line_label(load_labels("nb"), line, rates) == norwegian


def test_levels_of_a_view_keep_their_order_whatever_stands_first() -> None:
    mixed = grid(view=["settled", "transition"]).sample(frac=1, random_state=2)
    known = lines(mixed).sort_values("order")
    assert known.drop_duplicates("level")["level"].tolist() == list(ON)
    assert np.isclose(known["practices_share"].max(), 1.0)
    assert inputs.ADOPTION in mixed.columns


def test_scenarios_that_adoption_does_not_tell_apart_stand_side_by_side() -> None:
    """Four worlds at two levels: by practices on the platform they would lie on one another."""
    names = ["nobody", "nobody, an outage that lasts for days", "all", "all, an outage"]
    table = pd.DataFrame({"scenario": names, "practices_on_platform": [0, 0, 40, 40], "practices_total": 40})
    chart = charts.adoption(results(table, lambda _: 0.02), table, pd.DataFrame())
    level = chart.frame.sort_values("order")
    assert level["place"].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    ticks = [label.get_text() for label in chart.figure.axes[-1].get_xticklabels()]
    assert ticks == ["nobody", "nobody, an outage…", "all", "all, an outage"]
    assert level["level"].tolist() == names  # whole beside the chart


def test_a_run_says_which_views_its_scenarios_show(tmp_path: Path) -> None:
    both = studies.EXPERIMENT.replace(
        "  rates: [equal, platform_better]\n", "  view: [settled, transition]\n"
    )
    both = both.replace("rates: same", "view: same")
    assert view_of(load_study(studies.write_study(tmp_path / "two", both))) == "both"
    assert view_of(load_study(studies.write_study(tmp_path / "one"))) == "settled"
