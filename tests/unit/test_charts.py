"""Charts: findings as titles, nothing cut off, the same bytes each time, and a CSV that redraws them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

sys.path.insert(0, str(Path(__file__).parents[1]))
import economy

from flowsim import charts, statistics
from flowsim.charts import inputs
from flowsim.charts.detectability import SETS
from flowsim.charts.style import FEW, Chart, add_title, contrast, distinct, new_figure, ramp, style
from flowsim.economics import economics_tables
from flowsim.labels import LANGUAGES, load_labels

RULE = {"adoption.gp_practices": "2 practices", "rates": "same"}
LEVELS = {"0 %": 0, "2 practices": 2, "50 %": 20, "100 %": 40}
SIGN = {"equal": 0.2, "platform_better": -1.0, "platform_worse": 1.0}


def _scenarios(rates: tuple[str, ...] = tuple(SIGN)) -> pd.DataFrame:
    rows = [
        {"scenario": f"{level}|{r}", "adoption.gp_practices": level, "rates": r, "practices_on_platform": n}
        for r in rates
        for level, n in LEVELS.items()
    ]
    return pd.DataFrame(rows).assign(practices_total=40)


def _effect(scenario: object) -> float:
    """Return what a scenario adds to every bad outcome, from −1 to 1."""
    level, rates = str(scenario).split("|")
    return SIGN[rates] * LEVELS[level] / 40


def _summary(scenarios: pd.DataFrame, towards: float = 0.0) -> pd.DataFrame:
    bases = {"silent_failure_share": 0.03, "referrals_lost_share": 0.01, "referrals_late_share": 0.06}
    rows = []
    for name in scenarios["scenario"]:
        for replication in range(1, 5):
            luck = 0.001 * replication
            for measure, base in bases.items():
                value = base + luck + base * (0.3 * _effect(name) + towards * LEVELS[name.split("|")[0]] / 40)
                value += 1e-5 * (replication % 2) * LEVELS[name.split("|")[0]]
                rows.append((name, replication, measure, "", value, "share"))
            rows.append((name, replication, "referrals_created", "", 43210.0, "deliveries"))
    return pd.DataFrame(rows, columns=["scenario", "replication", "measure", "group", "value", "unit"])


def _care(scenarios: pd.DataFrame) -> pd.DataFrame:
    days, frames = np.arange(0, 92, 7), []
    for name in scenarios["scenario"]:
        for replication in (1, 2, 3):
            for urgency, speed, cases in (("urgent", 12, 400), ("soon", 30, 900), ("routine", 60, 4000)):
                gone = 1 - np.exp(-days / (speed * (1 + 0.2 * _effect(name))))
                started = np.floor(0.97 * cases * gone) + replication * (days > 0)
                part = {
                    "scenario": name,
                    "replication": replication,
                    "pathway": "referral",
                    "urgency": urgency,
                }
                withdrawn = np.floor(0.02 * cases * gone)
                left = cases - started - withdrawn
                frames.append(pd.DataFrame({**part, "day": days, "started": started, "withdrawn": withdrawn}))
                frames[-1]["not_started"] = left
    return pd.concat(frames, ignore_index=True)


def _delay(scenarios: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name in scenarios["scenario"]:
        for kind, few in (("referral", 1), ("discharge_summary", 3), ("discharge_ready_reply", 1)):
            for channel, slow in (("platform", 1.0), ("edi", 2.0), ("letter", 40.0)):
                for low, high, count in ((0.5, 1.0, 10), (1.0, 4.0, 60), (4.0, 24.0, 20)):
                    rows.append((name, 1, kind, channel, "seen", low * slow, high * slow, count * few))
                rows.append((name, 1, kind, channel, "lost", np.nan, np.nan, 10 * few))
                rows.append((name, 1, kind, channel, "cancelled", np.nan, np.nan, 50))
        rows.append((name, 1, "health_information_to_gp", "portal", "seen", 2.0, 3.0, 4))
    names = ["scenario", "replication", "kind", "channel", "outcome", "low_hours", "high_hours", "count"]
    return pd.DataFrame(rows, columns=names)


def _stages(scenarios: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name in scenarios["scenario"]:
        for sender, receiver, size in (
            ("gp", "hospital", 1),
            ("hospital", "gp", 4),
            ("hospital", "municipality", 1),
        ):
            rows += [
                (name, 1, "", "none", sender, receiver, "edi", 9000 * size),
                (name, 1, "opened", "unwatched", sender, receiver, "edi", 100),
                (name, 1, "emitted", "not_emitted", sender, receiver, "edi", 30),
                (name, 1, "acted", "vanished", sender, receiver, "edi", 5),
            ]
    names = [
        "scenario",
        "replication",
        "stage_failed",
        "fault",
        "sender_party",
        "receiver_party",
        "channel",
        "count",
    ]
    return pd.DataFrame(rows, columns=names)


def _backlog(scenarios: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name in scenarios["scenario"]:
        for replication in (1, 2, 3):
            for kind, size in (("gp_office", 300), ("clinic", 4000), ("referral_intake", 120), ("ward", 80)):
                for day in range(1, 30, 2):
                    length = size * (1 + 0.01 * day * _effect(name)) + replication
                    rows.append((name, replication, day, kind, "hospital", length))
    names = ["scenario", "replication", "day", "service_kind", "party", "list_length"]
    return pd.DataFrame(rows, columns=names)


def _adoption(scenarios: pd.DataFrame, language: str, towards: float = 0.0) -> Chart:
    summary = _summary(scenarios, towards)
    return charts.adoption(
        summary, scenarios, statistics.compare(summary, scenarios, RULE), language=language
    )


def _economics(scenarios: pd.DataFrame, language: str) -> Chart:
    """Draw cost and benefit of levels against a level without any platform, which has the earlier systems."""
    joined = (scenarios["practices_on_platform"] > 0).astype(int)
    table = scenarios.assign(
        municipality_on_platform=joined, hospital_on_platform=joined, inhabitants=economy.INHABITANTS
    )
    figures = pd.concat(
        [
            pd.DataFrame(
                {
                    "scenario": table["scenario"],
                    "replication": replication,
                    "measure": f"staff_hours_{kind}",
                    "group": f"party={party}",
                    "value": 5000.0 + replication - 40 * table["practices_on_platform"],
                    "unit": "hours a year",
                }
            )
            for replication in (1, 2)
            for kind in ("searching", "chasing", "doing_again", "training")
            for party in ("gp", "hospital", "municipality")
        ]
    )
    rule = {"adoption.gp_practices": "0 %", "rates": "same"}
    file = economy.settings()
    found = economics_tables(figures, table, dict.fromkeys(table["scenario"], file), rule)
    by_name = {
        "economics": found.economics,
        "break_even": found.break_even,
        "better_than_before": found.better,
    }
    facts = {"year": file.year, "inhabitants": file.inhabitants.value}
    return charts.economics(by_name, table, facts, 2, language=language)


TARGETS = {("referral", "urgent"): 14.0, ("referral", "soon"): 42.0}
DEADLINES = {"referral": 24.0, "discharge_ready_reply": 2.0}
OUTAGES = pd.DataFrame({"from_day": [5.0], "to_day": [5.1]})


def _defects(scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return two kinds of defect; in the worst scenarios one of them is often not discovered in the run."""
    rows = []
    for name in scenarios["scenario"]:
        for replication in range(1, 13):
            for kind, days, happened in (("silent_template", 80.0, 110.0), ("order_queue", 200.0, np.nan)):
                at = days * (1 + 0.4 * _effect(name)) * (0.5 + replication / 12)
                found = 24.0 * at if at < 300.0 else np.nan
                rows.append((name, replication, kind, 0.0, found, 7200.0, 400 * replication, happened))
    columns = ["scenario", "replication", "kind", "began_hours", "discovered_hours", "end_hours", "hit"]
    return pd.DataFrame(rows, columns=[*columns, "happened_days"])


def _weeks(scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return visits and lists over 26 weeks with practices that go live in the first; few come late."""
    rows = []
    for name in scenarios["scenario"]:
        for replication in (1, 2, 3):
            for week in range(1, 29):
                followed = 2000 - 10 * week if week <= 26 else 15
                differing = followed * (0.1 + 0.05 * _effect(name) * min(week, 8) / 8) + replication
                lists = {
                    "cases_followed": followed, "cases_differing": differing,
                    "deviations": 30 + 5 * (week % 3), "deviations_reported": replication * (week > 1),
                }  # fmt: skip
                visits = {"visits_due": 9000, "visits_missed": 11 + replication, "cases_followed": followed}
                rows += [(name, replication, week, "medication_list", m, n) for m, n in lists.items()]
                rows += [(name, replication, week, "home_care", m, n) for m, n in visits.items()]
                rows.append((name, replication, week, "", "go_lives", 3 * (week < 9 and _effect(name) != 0)))
    return pd.DataFrame(rows, columns=["scenario", "replication", "week", "pathway", "measure", "count"])


def _detectability(language: str) -> Chart:
    """Draw five classes, of which receipts alone show two, orders one more, and nothing the last."""
    shown = {"rejected": 0, "undelivered": 0, "unwatched": 1, "not_emitted": 2, "incomplete": 9}
    rows, burden = [], []
    for logs, loss in (("perfect", 0.0), ("imperfect", 0.15)):
        for place, sources in enumerate(SETS):
            burden += [(logs, sources, "hard", 1.25 * place), (logs, sources, "soft", 30.0 + place)]
            for name, first in shown.items():
                found = 0.97 - loss if place >= first else 0.0
                days = (0.2 if logs == "imperfect" else 0.01) + 3 * first if found else np.nan
                names = (logs, sources, "item", name, "any", 400.0, float(place >= first))
                rows.append((*names, found, found - 0.01, found + 0.01, days, 4))
    columns = ["logs", "sources", "unit", "class", "level", "due", "spoken_of_share"]
    table = pd.DataFrame(
        rows, columns=[*columns, "recall", "low", "high", "median_days_found", "replications"]
    )
    daily = pd.DataFrame(burden, columns=["logs", "sources", "level", "per_working_day"])
    return charts.detectability(table, daily, view="settled", language=language)


FAMILIES: dict[str, Callable[[pd.DataFrame, str], Chart]] = {
    "adoption": _adoption,
    "time_to_care": lambda s, language: charts.time_to_care(_care(s), s, targets=TARGETS, language=language),
    "delivery_delay": lambda s, language: charts.delivery_delay(_delay(s), s, DEADLINES, language=language),
    "stages": lambda s, language: charts.stages(_stages(s), s, language=language),
    "backlog": lambda s, language: charts.backlog(_backlog(s), s, OUTAGES, language=language),
    "economics": _economics,
    "discovery": lambda s, language: charts.discovery(_defects(s), s, language=language),
    "weeks": lambda s, language: charts.weeks(_weeks(s), s, language=language),
    "detectability": lambda _, language: _detectability(language),
}


@pytest.fixture(scope="module")
def drawn() -> dict[tuple[str, str], Chart]:
    """Every chart in every language, drawn once."""
    scenarios = _scenarios()
    return {
        (name, tongue): make(scenarios, tongue) for name, make in FAMILIES.items() for tongue in LANGUAGES
    }


def _texts(chart: Chart) -> list[Text]:
    with style():
        chart.figure.draw_without_rendering()
    found = [t for t in chart.figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    # Tick labels beyond the axis are kept by matplotlib, and never drawn.
    hidden = {
        id(label)
        for axes in chart.figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not axes.axison
        or not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    return [t for t in found if id(t) not in hidden]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("language", LANGUAGES)
class TestEveryChart:
    """What holds for each family in each language."""

    def test_the_title_has_at_most_two_lines(
        self, drawn: dict[tuple[str, str], Chart], family: str, language: str
    ) -> None:
        title = next(t for t in drawn[family, language].figure.texts if t.get_gid() == "title")
        assert 1 <= len(title.get_text().split("\n")) <= 2
        condition = {"en": "Under equal rates, ", "nb": "Med like rater "}[language]
        assert charts.title_of(drawn[family, language].figure).startswith(condition)

    def test_no_text_is_cut_off_or_smaller_than_nine_points(
        self, drawn: dict[tuple[str, str], Chart], family: str, language: str
    ) -> None:
        chart = drawn[family, language]
        width, height = chart.figure.get_size_inches() * chart.figure.dpi
        for text in _texts(chart):
            box = Text.get_window_extent(text)
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, f"outside the picture: {text.get_text()}"
            assert text.get_fontsize() >= 9, f"too small: {text.get_text()}"

    def test_no_text_covers_another(
        self, drawn: dict[tuple[str, str], Chart], family: str, language: str
    ) -> None:
        boxes = [(t.get_text(), Text.get_window_extent(t)) for t in _texts(drawn[family, language])]
        for (one, a), (other, b) in combinations(boxes, 2):
            wide = min(a.x1, b.x1) - max(a.x0, b.x0)
            high = min(a.y1, b.y1) - max(a.y0, b.y0)
            assert wide < 2 or high < 3, f"'{one}' and '{other}' overlap by {wide:.0f} × {high:.0f}"

    def test_the_footer_names_view_basis_and_replications(
        self, drawn: dict[tuple[str, str], Chart], family: str, language: str
    ) -> None:
        words = {"en": ("settled", "assumed", "replications"), "nb": ("i drift", "antatt", "replikasjoner")}
        texts = [t.get_text() for t in drawn[family, language].figure.texts]
        assert any(all(word in text for word in words[language]) for text in texts)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_saved_csv_alone_draws_the_same_picture(
    drawn: dict[tuple[str, str], Chart], family: str, tmp_path: Path
) -> None:
    """One drawn from results and one from its CSV are the same, byte for byte; no words are in the frame."""
    png, svg, table = charts.save(drawn[family, "nb"], tmp_path, "norwegian")
    pd.testing.assert_frame_equal(drawn[family, "en"].frame, drawn[family, "nb"].frame)
    again = charts.redraw(family, charts.load(table), "nb")
    copies = charts.save(again, tmp_path, "again")
    assert copies[1].read_bytes() == svg.read_bytes()
    assert copies[2].read_bytes() == table.read_bytes()
    assert copies[0].read_bytes() == png.read_bytes()
    assert set(charts.load(table)["basis"]) == {"assumed"}
    assert b"dc:date" not in svg.read_bytes()


def test_charts_need_no_pyplot_and_leave_no_settings_behind() -> None:
    code = (
        "import sys, matplotlib; before = dict(matplotlib.rcParams); import flowsim.charts as c;"
        "from flowsim.charts.style import styled, new_figure; styled(new_figure)(3.0);"
        "assert 'matplotlib.pyplot' not in sys.modules; assert dict(matplotlib.rcParams) == before"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_title_says_so_where_rate_sets_disagree_on_the_direction(
    drawn: dict[tuple[str, str], Chart],
) -> None:
    assert charts.title_of(drawn["adoption", "en"].figure) == (
        "Under equal rates, the share that failed silently is 0.19 points higher at 100\u202f% adoption "
        "than at 2\u202fpractices; the direction depends on assumptions"
    )
    assert "avhenger av forutsetningene" in charts.title_of(drawn["adoption", "nb"].figure)


def test_the_title_is_plain_where_all_rate_sets_agree() -> None:
    title = charts.title_of(_adoption(_scenarios(), "en", towards=2.0).figure)
    assert "higher at 100\u202f% adoption than at 2\u202fpractices" in title
    assert "assumptions" not in title


def test_a_difference_whose_interval_contains_nought_is_no_finding() -> None:
    scenarios = _scenarios(("equal",))
    summary = _summary(scenarios)
    noise = np.where(summary["scenario"].str.startswith("100"), 0.01 * (-1.0) ** summary["replication"], 0.0)
    summary["value"] += noise * (summary["unit"] == "share")
    chart = charts.adoption(summary, scenarios, statistics.compare(summary, scenarios, RULE))
    assert "does not clearly differ" in charts.title_of(chart.figure)
    assert chart.frame["assumption_low"].isna().all()


def test_both_intervals_stand_in_the_adoption_frame_under_their_own_names(
    drawn: dict[tuple[str, str], Chart],
) -> None:
    frame = drawn["adoption", "en"].frame
    part = frame[(frame["quantity"] == "difference") & (frame["measure"] == "referrals_lost_share")]
    row = part.set_index("scenario").loc["100 %|equal"]
    by_set = part[part["level"] == "100 %"]["value"]
    assert row["assumption_low"] == by_set.min() and row["assumption_high"] == by_set.max()
    assert row["low"] < row["value"] < row["high"]
    assert row["high"] - row["low"] < row["assumption_high"] - row["assumption_low"]


def test_measures_without_values_fall_back_to_all_messages_or_are_an_error() -> None:
    scenarios = _scenarios(("equal",))
    summary = _summary(scenarios)
    lost = summary["measure"] == "referrals_lost_share"
    messages = summary[lost].assign(measure="deliveries_lost_share")
    summary.loc[lost, "value"] = np.nan
    empty = statistics.compare(summary, scenarios, RULE).head(0)
    frame = charts.adoption(pd.concat([summary, messages]), scenarios, empty).frame
    assert "deliveries_lost_share" in set(frame["measure"])
    assert "referrals_lost_share" not in set(frame["measure"])
    with pytest.raises(ValueError, match="none of these measures has values: recovered_share"):
        charts.adoption(summary, scenarios, empty, measures=["recovered_share"])


def test_time_to_care_counts_all_cases_also_those_not_started() -> None:
    profile = pd.DataFrame(
        {
            "scenario": "s",
            "replication": [1, 1, 2, 2],
            "pathway": "referral",
            "urgency": "routine",
            "day": [0, 10, 0, 10],
            "started": [0, 50, 0, 70],
            "withdrawn": [0, 10, 0, 10],
            "not_started": [100, 40, 100, 20],
        }
    )
    chart = charts.time_to_care(profile, pd.DataFrame({"scenario": ["s"]}))
    last = chart.frame[chart.frame["day"] == 10].iloc[0]
    assert last["started"] == pytest.approx(0.6) and last["not_started"] == pytest.approx(30)
    assert last["started_high"] - last["started"] == pytest.approx(12.706 * 0.1, rel=1e-3)
    assert charts.title_of(chart.figure).startswith("In the model, 60\u202f% of cases (routine)")


def test_quantiles_of_delay_count_the_unseen() -> None:
    """10, 60 and 20 of 100 seen in [0.5, 1), [1, 4), [4, 24) hours, 10 never: p50 = 1 + 3 · 40/60."""
    frame = charts.delivery_delay(
        _delay(_scenarios(("equal",))), _scenarios(("equal",)), {"referral": 4.0}
    ).frame
    row = frame[(frame["kind"] == "referral") & (frame["channel"] == "platform")].iloc[0]
    assert row["p50"] == pytest.approx(3.0) and row["p90"] == pytest.approx(24.0)
    assert row["unseen"] == pytest.approx(0.1) and row["late_or_unseen"] == pytest.approx(0.3)
    lost = pd.DataFrame(
        {
            "outcome": ["seen", "lost"],
            "low_hours": [1.0, np.nan],
            "high_hours": [2.0, np.nan],
            "count": [30, 70],
        }
    ).assign(scenario="s", replication=1, kind="referral", channel="edi")
    chart = charts.delivery_delay(lost, pd.DataFrame({"scenario": ["s"]}))
    assert np.isinf(chart.frame["p50"]).all()
    assert "never seen" in charts.title_of(chart.figure)


def test_stages_are_rates_per_thousand_with_few_cases_marked() -> None:
    chart = charts.stages(_stages(_scenarios(("equal",))), _scenarios(("equal",)))
    cells = chart.frame[chart.frame["panel"] == "cell"].set_index(["sender_party", "receiver_party", "stage"])
    assert cells.loc[("gp", "hospital", "opened"), "per_1000"] == pytest.approx(1000 * 100 / 9135)
    assert cells.loc[("gp", "hospital", "transported"), "count"] == 0
    marked = [t.get_text() for t in chart.figure.axes[0].texts if t.get_text().endswith("*")]
    assert len(marked) == int(((cells["count"] > 0) & (cells["count"] < FEW)).sum()) == 3


def test_the_backlog_title_speaks_of_the_list_that_changes_most() -> None:
    title = charts.title_of(FAMILIES["backlog"](_scenarios(("platform_worse",)), "en").figure)
    assert title.startswith("Where the platform's rates are worse, the clinic list ends 1\u202f0")
    assert "items longer" in title


def test_levels_are_ordered_by_practices_on_the_platform() -> None:
    mixed = _scenarios().sample(frac=1, random_state=1)
    known = inputs.levels(mixed).drop_duplicates("level").sort_values("order")
    assert known["level"].tolist() == list(LEVELS)


def test_scenarios_with_names_of_their_own_are_drawn_by_name_and_a_grid_by_its_settings() -> None:
    settings = {"adoption.gp_practices": ["0 %", "0 %"], "faults.audit.every": ["4 weeks", "1 week"]}
    worlds = pd.DataFrame({"scenario": ["before", "stay apart"], **settings})
    assert inputs.levels(worlds)["level"].tolist() == ["before", "stay apart"]
    grid = worlds.assign(scenario=["gp_practices=0 %, every=4 weeks", "gp_practices=0 %, every=1 week"])
    assert inputs.levels(grid)["level"].tolist() == ["4 weeks", "1 week"]


def test_named_worlds_without_settings_are_drawn_by_name() -> None:
    worlds = pd.DataFrame({"scenario": ["before", "as it was", "all join"]})
    assert inputs.levels(worlds)["level"].tolist() == ["before", "as it was", "all join"]
    rows = [
        (world, replication, "referrals_lost_share", "", 0.01 * i + 0.001 * replication, "share")
        for i, world in enumerate(worlds["scenario"])
        for replication in (1, 2, 3)
    ]
    summary = pd.DataFrame(rows, columns=["scenario", "replication", "measure", "group", "value", "unit"])
    chart = charts.adoption(summary, worlds, pd.DataFrame(), language="nb")
    assert charts.title_of(chart.figure) == "I modellen er andelen tapte henvisninger 2,2 % ved alle med"
    assert "slik det var" in [label.get_text() for label in chart.figure.axes[-1].get_xticklabels()]


def test_lines_have_enough_contrast_and_levels_grow_paler_in_order() -> None:
    levels = [contrast(colour) for colour in ramp(6)]
    assert levels == sorted(levels, reverse=True) and min(levels) >= 3
    assert min(contrast(colour) for colour in distinct(6)) >= 3 and len(set(distinct(6))) == 6


def test_a_title_that_cannot_fit_is_refused_and_never_cut() -> None:
    with style(), pytest.raises(ValueError, match="does not fit in two lines"):
        add_title(new_figure(3.0), "finding " * 60)


def test_axis_numbers_follow_the_language(drawn: dict[tuple[str, str], Chart]) -> None:
    for language, mark in (("en", "."), ("nb", ",")):
        axes = drawn["adoption", language].figure.axes[1]
        texts = [label.get_text() for label in axes.get_yticklabels()]
        assert any(mark in text for text in texts) and load_labels(language).number(0.5, 1) == f"0{mark}5"


def test_weeks_in_which_few_are_followed_are_left_out_and_go_lives_are_ticked(
    drawn: dict[tuple[str, str], Chart],
) -> None:
    frame = drawn["weeks", "en"].frame
    assert set(frame["panel"]) == {"missed", "differing", "true", "reported", "go_lives"}
    assert frame["week"].max() == 26
    live = frame[frame["panel"] == "go_lives"]
    assert set(live["week"]) == set(range(1, 9)) and set(live["level"]) == {"2 practices", "50 %", "100 %"}


def test_shares_of_visits_and_patients_in_the_chart_of_weeks() -> None:
    """One pathway of each kind: patients of the other are not in the denominator."""
    scenarios = _scenarios(("equal",))
    profile = _weeks(scenarios)
    frame = charts.weeks(profile[profile["pathway"] != "home_care"], scenarios).frame
    row = frame[(frame["panel"] == "differing") & (frame["level"] == "0 %") & (frame["week"] == 1)].iloc[0]
    assert row["value"] == pytest.approx(100 * (199 + 2) / 1990)
    row = frame[(frame["panel"] == "true") & (frame["level"] == "0 %") & (frame["week"] == 1)].iloc[0]
    assert row["value"] == pytest.approx(1000 * 35 / 1990)


def test_the_chart_of_weeks_says_how_the_scenario_farthest_from_the_first_ends(
    drawn: dict[tuple[str, str], Chart],
) -> None:
    assert charts.title_of(drawn["weeks", "en"].figure) == (
        "Under equal rates, medication lists of 11.1 % of patients are not right with "
        '"100\u202f%", 10.1 % with "0\u202f%" (last weeks); the direction depends on assumptions'
    )
    scenarios = _scenarios(("equal",))
    visits = _weeks(scenarios)
    visits = visits[visits["pathway"] == "home_care"]
    assert "do not clearly differ" in charts.title_of(charts.weeks(visits, scenarios).figure)


def test_there_is_no_chart_of_weeks_where_nothing_recurs() -> None:
    scenarios = _scenarios(("equal",))
    with pytest.raises(ValueError, match="nothing recurs"):
        charts.weeks(_weeks(scenarios).head(0), scenarios)


def test_the_map_of_detectability_reads_as_a_staircase_and_counts_in_its_title() -> None:
    chart = _detectability("en")
    assert list(chart.frame["class"].drop_duplicates()) == [
        "rejected", "undelivered", "unwatched", "not_emitted", "incomplete",
    ]  # fmt: skip
    assert "2 of 5 classes with receipts alone, and in 4 with all logs" in charts.title_of(chart.figure)
    texts = [t.get_text() for t in chart.figure.axes[1].texts]
    assert texts.count("–") == 5 + 1 + 2, "what no rule can show has no share"
    assert "82\u202f%\n5\u202fh" in texts
    assert "97\u202f%\n<\u202f1\u202fh" in [t.get_text() for t in chart.figure.axes[0].texts]
