"""Cross-prediction of the two letter replays: fit noticing on one, predict the other, and say how far off.

    python -m benchmarks.replays [--json]

Runs both replay experiments (or reads their folders in ``out``), takes of the values of noticing the one
whose median day of discovery lies nearest to what happened in one replay, and shows the distribution of
the day of discovery that the same value gives in the other. It is no test of the rates: nobody has
measured them. It asks whether one account of noticing and escalation can hold for both.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flowsim.cli import main as flowsim

ROOT = Path(__file__).parents[1]
REPLAYS = {"municipality": "replay_trondheim_letters", "hospital": "replay_st_olavs_letters"}
#: Scenarios with this in their name are values of noticing; the others are measures against the loss.
FITTED = "noticing "


def days(name: str) -> pd.DataFrame:
    """Return scenario, replication, days to discovery (inf: later than the run) and hits of a replay."""
    folder = ROOT / "out" / REPLAYS[name]
    if not (folder / "profiles" / "defects.parquet").exists():
        run(["run", str(ROOT / "experiments" / f"{REPLAYS[name]}.yaml"), "--out", str(folder)])
    frame = pd.read_parquet(folder / "profiles" / "defects.parquet")
    found = ((frame["discovered_hours"] - frame["began_hours"]) / 24.0).fillna(np.inf)
    return frame.assign(days=found)[["scenario", "replication", "days", "hit", "happened_days"]]


def lost(name: str) -> pd.Series[float]:
    """Return the mean number of letters that nobody had read by the end of follow-up, by scenario."""
    summary = pd.read_csv(ROOT / "out" / REPLAYS[name] / "summary.csv")
    whole = summary[summary["group"].isna()].pivot(
        index=["scenario", "replication"], columns="measure", values="value"
    )
    return (whole["deliveries_lost_share"] * whole["deliveries_created"]).groupby(level="scenario").mean()


def run(words: list[str]) -> None:
    """Run a command of flowsim in this process."""
    try:
        flowsim(words)
    except SystemExit as stopped:
        if stopped.code not in (0, None):
            raise


def median_of(frame: pd.DataFrame, scenario: str) -> float:
    """Return the lower median of the day of discovery in a scenario."""
    found = np.sort(frame.loc[frame["scenario"] == scenario, "days"].to_numpy(float))
    return float(found[(len(found) - 1) // 2])


def fitted(frame: pd.DataFrame) -> str:
    """Return the scenario whose median day of discovery lies nearest to what happened, on the log scale."""
    happened = float(frame["happened_days"].max())
    names = [n for n in dict.fromkeys(frame["scenario"]) if str(n).startswith(FITTED)]
    return min(names, key=lambda n: abs(np.log(median_of(frame, n) / happened)))


def predicted(frame: pd.DataFrame, scenario: str) -> dict[str, float | bool]:
    """Return the distribution of the day of discovery in a scenario, and where reality lies in it."""
    found = np.sort(frame.loc[frame["scenario"] == scenario, "days"].to_numpy(float))
    happened = float(frame["happened_days"].max())
    low, median, high = (float(found[min(int(q * len(found)), len(found) - 1)]) for q in (0.05, 0.5, 0.95))
    return {
        "happened_days": happened,
        "median_days": median,
        "low_days_90": low,
        "high_days_90": high,
        "share_not_later": float(np.mean(found <= happened)),
        "hit": bool(low <= happened <= high),
        "replications": len(found),
        "letters_hit_mean": float(frame.loc[frame["scenario"] == scenario, "hit"].mean()),
    }


def cross() -> dict[str, Any]:
    """Return for each replay the fitted value, and what it predicts of the other."""
    frames = {name: days(name) for name in REPLAYS}
    out: dict[str, Any] = {}
    for one, other in (("municipality", "hospital"), ("hospital", "municipality")):
        value = fitted(frames[one])
        out[f"fitted on {one}"] = {
            "value": value,
            "fit": predicted(frames[one], value),
            f"predicts {other}": predicted(frames[other], value),
        }
    for name, frame in frames.items():
        night = {**predicted(frame, "compared every night")}
        night["letters_lost_mean"] = float(lost(name)["compared every night"])
        night["letters_lost_mean_without"] = float(lost(name)["noticing 2 percent"])
        out[f"{name}, compared every night"] = night
    return out


def plain(value: Any) -> Any:
    """Return a result as JSON can hold it: infinity as text."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, float) and np.isinf(value):
        return "later than the run"
    return round(value, 3) if isinstance(value, float) else value


def main(words: list[str] | None = None) -> None:
    """Run or read both replays and print the cross-prediction."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON only")
    given = parser.parse_args(words)
    told = plain(cross())
    if given.json:
        print(json.dumps(told, indent=2))
        return
    for name, part in told.items():
        print(name)
        for key, value in part.items():
            print(f"  {key}: {value}")


if __name__ == "__main__":
    main(sys.argv[1:])
