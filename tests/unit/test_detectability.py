"""Tables over replications, the reason why something is missed, and replications that survive."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import studies

from flowsim.catalogue import catalogue_path
from flowsim.config.compose import load_study
from flowsim.config.loading import load
from flowsim.config.rules_file import MonitorFile
from flowsim.errors import UsageError
from flowsim.experiment.detectability import (
    burden_table,
    detectability_table,
    overview,
    rules_table,
    score_table,
)
from flowsim.experiment.watching import SOURCE_SETS, Setting, setting_of
from flowsim.labels import load_labels
from flowsim.runner import Options, Silent
from flowsim.runner.detectability import Detected, detect
from flowsim.vocabulary import Source

RULES = load(catalogue_path("monitor", "rules"), MonitorFile)


def times_of(found: int, missed: int, over: int = 0, **names: Any) -> pd.DataFrame:
    """Return times of so many found after two days, and so many missed in a run of ten."""
    count = found + missed
    frame = pd.DataFrame({"hours": [48.0] * found + [240.0] * missed, "found": np.arange(count) < found})
    return frame.assign(over=np.arange(count) >= count - over, **names)


def tables(*rows: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the classes and times of some replications."""
    classes, times = [], []
    for row in rows:
        names = {"logs": "perfect", "sources": "all", "unit": "item", "class": "unwatched", "level": "any"}
        counts = {"found": 0, "missed": 0, "over": 0, "spoken_of": 1.0, **row}
        names |= {name: counts.pop(name) for name in (*names,) if name in counts}
        number = counts.pop("replication", 1)
        due = counts["found"] + counts["missed"]
        days = dict.fromkeys(["median_days_found", "people_median_days", "lead_days"], 2.0)
        shares = {"recall": counts["found"] / due, "recall_before_people": 0.0, "people_share": 0.25}
        spoken = {"spoken_of": counts["spoken_of"] * due, "before_people": 0, "by_people": due / 4}
        row_of = {"due": due, "found": counts["found"], "median_days": 2.0, "days_90": 2.0}
        classes.append({**names, **row_of, **shares, **spoken, **days, "replication": number})
        part = times_of(counts["found"], counts["missed"], counts["over"], **names)
        times.append(part.assign(replication=number))
    return pd.DataFrame(classes), pd.concat(times, ignore_index=True)


def test_recall_is_the_mean_of_replications_with_its_simulation_interval() -> None:
    """Recalls 0.8 and 0.6: mean 0.7, s = 0.1414, t(1) = 12.706, so 0.7 ± 1.27, which a share cannot reach."""
    table = detectability_table(
        *tables({"found": 8, "missed": 2}, {"found": 6, "missed": 4, "replication": 2}), RULES
    )
    row = table.iloc[0]
    assert (row["recall"], row["low"], row["high"]) == (pytest.approx(0.7), 0.0, 1.0)
    assert (row["replications"], row["due"]) == (2, 10)
    assert row["median_days"] == 2.0 and np.isinf(row["days_90"])


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([{"found": 9, "missed": 1}], ""),
        ([{"class": "incomplete", "missed": 9, "spoken_of": 0.0}], "no_rule"),
        ([{"class": "not_emitted", "sources": "receipts_only", "missed": 9, "spoken_of": 0.0}], "no_source"),
        ([{"found": 4, "missed": 6, "spoken_of": 0.5}], "not_spoken_of"),
        ([{"found": 4, "missed": 6, "over": 5}], "over"),
        ([{"found": 4, "missed": 6, "over": 1}], "limit"),
        ([{"logs": "imperfect", "found": 4, "missed": 6}, {"found": 9, "missed": 1}], "logs"),
    ],
)
def test_the_reason_for_a_low_recall_is_the_first_that_explains_half_of_it(
    rows: list[dict[str, Any]], why: str
) -> None:
    table = detectability_table(*tables(*rows), RULES)
    assert table[table["logs"] == rows[0].get("logs", "perfect")]["why"].tolist() == [why]


def test_rows_come_as_a_reader_looks_for_them() -> None:
    rows = [
        {"logs": logs, "sources": sources, "class": name, "found": 1, "missed": 1}
        for logs in ("imperfect", "perfect")
        for name in ("vanished", "rejected")
        for sources in ("all", "receipts_only")
    ]
    table = detectability_table(*tables(*rows), RULES)
    assert table["logs"].tolist() == ["perfect"] * 4 + ["imperfect"] * 4
    assert table["sources"].tolist() == ["receipts_only", "all"] * 4
    assert table["class"].tolist() == ["rejected", "rejected", "vanished", "vanished"] * 2


def test_alerts_a_day_and_precision_are_means_over_replications() -> None:
    names = {"logs": "perfect", "sources": "all", "level": "hard", "inconclusive": 0, "alerts": 10, "true": 5}
    rest = {"per_1000_deliveries": 1.0, "per_unit_and_working_day": 0.1}
    burden = pd.DataFrame([
        {**names, **rest, "replication": 1, "per_working_day": 2.0, "precision": 0.5},
        {**names, **rest, "replication": 2, "per_working_day": 4.0, "precision": 0.7},
    ])  # fmt: skip
    row = burden_table(burden).iloc[0]
    assert (row["per_working_day"], row["precision"]) == (3.0, pytest.approx(0.6))
    assert row["per_working_day_high"] == pytest.approx(3.0 + 12.706, abs=1e-3)
    scores = score_table(tables({"found": 1, "missed": 1})[0], burden)
    alerts = scores[(scores["class"] == "") & (scores["measure"] == "alerts")]
    assert alerts["value"].tolist() == [10.0, 10.0]


def test_a_rule_that_said_nothing_is_left_out_of_the_rules_table() -> None:
    rows = [
        {"rule": rule, "alerts": alerts, "true": alerts / 2, "precision": 0.5 if alerts else np.nan}
        for rule, alerts in (("a", 4), ("b", 0))
    ]
    more = {"logs": "perfect", "sources": "all", "kind": "response", "level": "hard"}
    table = rules_table(pd.DataFrame(rows).assign(inconclusive=0, recovered=1, replication=1, **more))
    assert table["rule"].tolist() == ["a"] and table["precision"].tolist() == [0.5]


def test_sets_of_sources_only_widen_and_the_last_has_all() -> None:
    sets = list(SOURCE_SETS.values())
    assert all(less < more for less, more in pairwise(sets))
    assert sets[-1] == frozenset(Source)


# --- runs -----------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    text = studies.EXPERIMENT.replace("observe: 2 weeks", "observe: 4 weeks")
    return studies.write_study(tmp_path, text[: text.index("vary:")])


def setting(path: Path, *sources: str) -> Setting:
    return setting_of(load_study(path).designs()[0].design, "both", "rules", sources)


def run(path: Path, out: Path, threads: int = 0, replications: int = 2) -> Detected:
    options = Options(out, max(1, threads), replications)
    chosen = setting(path, "receipts_only", "all")
    executor = (lambda: ThreadPoolExecutor(threads)) if threads else None
    return detect(load_study(path), options, studies.PROGRAM, chosen, Silent(), executor)


def test_tables_are_the_same_for_any_number_of_workers_and_finished_replications_are_kept(
    small: Path, tmp_path: Path
) -> None:
    one = run(small, tmp_path / "one", replications=1)
    assert one.new == 1
    more = run(small, tmp_path / "one")
    assert (more.new, more.replications) == (1, 2), "the first replication was there already"
    side_by_side = run(small, tmp_path / "two", threads=2)
    assert side_by_side.new == 2
    names = ["score.csv", "detectability.csv", "burden.csv", "rules.csv", "charts/detectability.csv"]
    names.append("charts/detectability.svg")
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    text = overview(more.table, more.burden, load_labels("nb"))
    assert "feilfrie logger" in text and "liste ingen følger" in text


@pytest.mark.parametrize(
    ("logs", "sources", "told"),
    [
        ("perfekt", (), "There are no logs called 'perfekt'"),
        ("both", ("orders",), "no set of sources called"),
    ],
)
def test_a_wrong_word_is_a_users_mistake(small: Path, logs: str, sources: tuple[str, ...], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        setting_of(load_study(small).designs()[0].design, logs, "rules", sources)
