"""The benchmarks run, on a tiny size, and say what they promise; how fast is not tested."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
KEYS = {
    "ratio", "deliveries_per_s", "simpy_deliveries_per_s", "rows_per_s", "events_per_s", "peak_mb",
    "stops_per_1000_deliveries", "bare_idiom_ratio", "means",
}  # fmt: skip


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return benchmarks.kernel, which is run from the project's folder and is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import kernel as module

    assert "benchmarks" in sys.modules
    return module


def tiny(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(kernel, "peak_mb", lambda: 1.0)
    return dict(kernel.measure(kernel.plan_of(weeks=4, patients=6000), turns=1, kernel_turns=1))


def test_the_figures_have_the_promised_keys(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "TOLERANCE", 1.0)
    figures = tiny(kernel, monkeypatch)
    assert set(figures) >= KEYS
    assert figures["ratio"] == figures["deliveries_per_s"] / figures["simpy_deliveries_per_s"] > 0
    assert set(figures["means"]["kernel"]) == {"hours_to_care", "lost_share", "rows_per_case"}
    assert "deliveries/s" in kernel.table(figures)


def test_no_ratio_is_printed_where_the_means_disagree(
    kernel: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernel, "TOLERANCE", 1e-12)
    figures = tiny(kernel, monkeypatch)
    assert figures["ratio"] is None and figures["means_differing"]
    monkeypatch.setattr(kernel, "measure", lambda *_: figures)
    assert kernel.main([]) == 1
    printed = capsys.readouterr()
    assert "none: the means disagree" in printed.out and "disagree on" in printed.err


def test_the_means_count_what_is_lost_at_the_end_and_who_has_not_started(kernel: Any) -> None:
    from benchmarks.means import CARE, Tally
    from flowsim.vocabulary import JOURNAL_SCHEMA, Event, State

    rows = np.zeros(6, JOURNAL_SCHEMA)
    rows["case"] = [1, 2, 1, 2, 1, 1]
    created, authored = Event.created, Event.authored
    rows["event"] = [created, created, authored, authored, Event.found, Event.milestone]
    rows["delivery"] = [0, 0, 5, 5, 5, 0]
    rows["state"] = [0, 0, State.silent, State.silent, State.moving, 0]
    rows["time"] = [0.0, 10.0, 0.0, 10.0, 20.0, 30.0]
    rows["step"] = CARE
    tally = Tally(observe=50.0, follow_up=100.0)
    tally.add(rows)
    assert tally.means() == {"hours_to_care": 65.0, "lost_share": 0.5, "rows_per_case": 3.0}


def test_growth_tells_cost_and_memory_of_a_run(kernel: Any) -> None:
    from benchmarks.growth import one

    run = one(0.5)
    assert run["deliveries"] > 0 and run["us_per_delivery"] > 0 and run["peak_mb"] > 0


def test_the_simpy_sides_stay_within_their_lines() -> None:
    assert len((ROOT / "benchmarks" / "simpy_bare.py").read_text().splitlines()) <= 50
    assert len((ROOT / "benchmarks" / "simpy_idiom.py").read_text().splitlines()) <= 120


def test_the_year_with_everything_on_runs_and_counts_what_it_meets(kernel: ModuleType) -> None:
    from benchmarks import year

    told = year.measure(weeks=6)
    assert told["deliveries"] > 500_000 and told["rows"] > 5 * told["deliveries"]
    assert told["world"]["went_live"] > 0
    assert all(
        told["rows_with_fault"][fault] > 0 for fault in ("vanished", "unwatched", "late", "misaddressed")
    )


def test_of_the_values_of_noticing_the_one_nearest_to_what_happened_is_taken(kernel: ModuleType) -> None:
    from benchmarks import replays

    frame = pd.DataFrame(
        {
            "scenario": ["noticing 1 percent"] * 3
            + ["noticing 2 percent"] * 3
            + ["compared every night"] * 3,
            "replication": [1, 2, 3] * 3,
            "days": [200.0, 300.0, np.inf, 40.0, 50.0, 60.0, 100.0, 110.0, 120.0],
            "hit": [10, 20, 30] * 3,
            "happened_days": 110.0,
        }
    )
    assert replays.fitted(frame) == "noticing 2 percent"
    found = replays.predicted(frame, "noticing 1 percent")
    assert (found["median_days"], found["high_days_90"], found["share_not_later"]) == (300.0, np.inf, 0.0)
    assert replays.plain(found)["high_days_90"] == "later than the run"
