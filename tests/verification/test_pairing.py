"""What pairing is worth, against closed forms: for normal data, and for losses by the same coins."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tools import Rows, plan_of, replications

from flowsim.statistics import Reason, nested_gain, paired_difference, pairing_gains
from flowsim.vocabulary import Event, State

FILE = "paired/losses.yaml"
BASE = 0.01


def lost_share(rows: Rows) -> float:
    """Return the share of referrals that are silent after their last row."""
    last = rows[rows["delivery"] != 0]
    state = np.zeros(int((last["case"] & 0xFFFFFFFF).max()) + 1, np.int64)
    told = last[last["state"] != State.none]
    state[told["case"] & 0xFFFFFFFF] = told["state"]
    return float((state == State.silent).sum() / (rows["event"] == Event.created).sum())


@pytest.mark.parametrize(("rate", "p"), [("3 %", 0.03), ("1.5 %", 0.015), ("10 %", 0.1)])
def test_losses_by_the_same_coins_gain_what_nested_events_do(rate: str, p: float) -> None:
    """Without queues the gain is (p₀ + p₁)/(p₀ − p₁) where losses are rare: 2, 5, and 1.2 for ten times."""
    theory = float(nested_gain(p, BASE))
    assert theory == pytest.approx((p + BASE) / (p - BASE), rel=0.11)
    value, base = (
        replications(plan_of(FILE, f"rate={level}"), 40, lost_share)[:, 0] for level in (rate, "1 %")
    )
    found = paired_difference(value, base)
    wide = paired_difference(value, base, level=0.999)
    assert wide.low < p - BASE < wide.high
    assert found.gain_low < theory < found.gain_high
    table = pd.DataFrame({
        "scenario": "a", "baseline": "b", "measure": "referrals_lost_share", "group": "", "unit": "share",
        "value": value, "baseline_value": base, "difference": value - base,
    })  # fmt: skip
    row = pairing_gains(table).iloc[0]
    assert row["pairing_gain"] == pytest.approx(found.pairing_gain)
    assert row["reason"] == (Reason.other_events if p == 0.1 else "")


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.95])
@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_the_interval_of_a_gain_holds_the_true_gain(correlation: float, spread: float) -> None:
    """Pitman and Morgan's interval is exact for normal pairs: 95 of 100 of 2,000 hold the truth."""
    generator = np.random.default_rng([7, round(100 * correlation), round(spread)])
    truth = (1 + spread**2) / (1 + spread**2 - 2 * correlation * spread)
    held = 0
    for _ in range(2000):
        one, luck = generator.normal(size=(2, 12))
        other = spread * (correlation * one + np.sqrt(1 - correlation**2) * luck)
        found = paired_difference(one, other)
        held += found.gain_low <= truth <= found.gain_high
    assert 0.935 <= held / 2000 <= 0.965
