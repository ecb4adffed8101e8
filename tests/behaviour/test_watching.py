"""What monitors say of a run: not moved by the truth or by cuts of the journal, and more logs show more."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from flowsim.catalogue import catalogue_path
from flowsim.config.loading import load
from flowsim.config.rules_file import MonitorFile
from flowsim.experiment.logs import catalogue_logs
from flowsim.experiment.watching import SOURCE_SETS, Seeing, Setting, Watched, WatchFold
from flowsim.journal import RunHeader, replay
from flowsim.vocabulary import TRUTH_COLUMNS, CommandKind, Event, Level
from tests.journals import pieces
from tests.small_worlds import Rows, at, busy_plan, digest, index, one, rows_of

BOTH = [Seeing(logs, sources) for logs in ("perfect", "imperfect") for sources in SOURCE_SETS]


@cache
def run() -> tuple[RunHeader, Rows]:
    """Return the journal of a small region in which every fault strikes and a list loses its owner."""
    plan = busy_plan(level="34 %", days=42)
    ward = index(plan, "town/home")
    lost = one(CommandKind.set_owner, ward, 0), one(CommandKind.note, int(Event.owner_lost), ward)
    given = one(CommandKind.set_owner, ward, 1), one(CommandKind.note, int(Event.owner_given), ward)
    return RunHeader.from_dict(plan.header), rows_of(plan, [at(100.0, *lost), at(400.0, *given)])


def setting() -> Setting:
    logs = {name: catalogue_logs(f"logs_{name}") for name in ("perfect", "imperfect")}
    return Setting(logs, load(catalogue_path("monitor", "rules"), MonitorFile))


def watched(rows: Rows, cuts: list[int]) -> Watched:
    found: Watched = replay(pieces(rows, cuts), run()[0], [WatchFold(setting())])[0]
    return found


@cache
def expected() -> Watched:
    return watched(run()[1], [])


def told(said: Watched, seeing: Seeing) -> str:
    """Return a hash of all that a monitor says: its alerts, and what they list as missing."""
    watch = said.watches[seeing]
    listed = [np.asarray(watch.missing(alert), np.int64) for alert in watch.alerts]
    return digest(watch.alerts) + np.concatenate([np.zeros(0, np.int64), *listed]).tobytes().hex()


def test_with_the_truth_replaced_by_noise_the_alerts_are_the_same_bytes() -> None:
    """Noise that is possible: each column of the truth is dealt out anew over all rows."""
    noise = np.random.default_rng(1)
    rows = run()[1].copy()
    for name in TRUTH_COLUMNS:
        rows[name] = noise.permutation(rows[name])
    said = watched(rows, [])
    assert sum(len(watch.alerts) for watch in said.watches.values()) > 100
    assert not said.truth.items.equals(expected().truth.items), "the noise did change the truth"
    assert [told(said, seeing) for seeing in BOTH] == [told(expected(), seeing) for seeing in BOTH]


def test_alerts_and_score_are_the_same_for_any_cut_of_the_journal() -> None:
    said = watched(run()[1], [3, 1000, 1001, 20_000, 33_333])
    for seeing in BOTH:
        assert told(said, seeing) == told(expected(), seeing)
    one_set = Seeing("imperfect", "all")
    pd.testing.assert_frame_equal(said.score(one_set).classes, expected().score(one_set).classes)


def test_more_logs_never_find_less() -> None:
    """With the same thresholds and whole logs; what is due is the same for every set."""
    parts = [expected().score(Seeing("perfect", name)).classes.assign(sources=name) for name in SOURCE_SETS]
    table = pd.concat(parts)
    table = table[(table["unit"] == "item") & (table["level"] == "any")]
    recall = table.pivot_table("recall", "class", "sources")[list(SOURCE_SETS)]
    due = table.pivot_table("due", "class", "sources").to_numpy()
    assert len(recall) > 6
    assert (due == due[:, :1]).all()
    assert (recall.diff(axis=1).iloc[:, 1:] >= -1e-12).all(axis=None), recall


@pytest.mark.parametrize("logs", ["perfect", "imperfect"])
def test_receipts_alone_find_next_to_nothing_of_what_never_left_or_nobody_opened(logs: str) -> None:
    """The point of the monitor: both lie outside of what a receipt can tell."""
    found = {}
    for sources in ("receipts_only", "all"):
        classes = expected().score(Seeing(logs, sources)).classes
        part = classes[(classes["unit"] == "item") & (classes["level"] == "any")]
        found[sources] = part.set_index("class")["recall"]
    for name in ("not_emitted", "unwatched", "misaddressed"):
        assert found["receipts_only"][name] < 0.1
        assert found["all"][name] > found["receipts_only"][name] + (0.5 if logs == "perfect" else 0.1)


def test_perfect_logs_raise_no_hard_alert_that_touches_nothing() -> None:
    """Whole logs and shipped limits: what asks to act is about a true fault, in a world at low load."""
    watch = expected().watches[Seeing("perfect", "all")]
    burden = expected().score(Seeing("perfect", "all")).burden.set_index("level")
    assert (watch.alerts["level"] == Level.hard).sum() > 20
    assert burden.loc["hard", "precision"] > 0.9
