"""What a monitor's alerts are worth against the truth: what was found, how fast, and at what burden.

Two units, never mixed. An *item* is a delivery with a fault that is due (``monitor.due``); it is found by
the first alert that names its message, or lists it as missing. An *episode* is a defect, an unwatched list,
an old address or an outage that made at least one item due; it is found by the first alert on a stream it
touches while it is active. Alerts are judged by verdict ``violated``; where a source was silent, the monitor
said that it could not tell, and that is counted apart. docs/monitor.md has the definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from flowsim.monitor.due import spoken_of
from flowsim.monitor.rules import Rule
from flowsim.monitor.touching import Alerts, Missing, Touches, touches
from flowsim.observe.directory import Directory
from flowsim.units import HOURS_PER_DAY
from flowsim.vocabulary import Level, RuleKind, Verdict

#: Which alerts count: those that ask to act, or the soft ones as well.
LEVELS: Final = ("hard", "any")
CLASSES_COLUMNS: Final = (
    "unit",
    "class",
    "level",
    "due",
    "found",
    "before_people",
    "by_people",
    "spoken_of",
    "recall",
    "recall_before_people",
    "people_share",
    "median_days",
    "days_90",
    "median_days_found",
    "people_median_days",
    "lead_days",
)
TIMES_COLUMNS: Final = ("unit", "class", "level", "hours", "found", "over")


@dataclass(frozen=True)
class Truth:
    """What really happened, as frames (docs/data.md); ``items`` has ``due`` (``monitor.due``) beside it.

    ``touched`` has the place of an episode in ``episodes`` and the key of a delivery that it touched.
    """

    items: pd.DataFrame
    episodes: pd.DataFrame
    touched: pd.DataFrame


@dataclass(frozen=True)
class Exposure:
    """How much was watched: deliveries, working days, units with a log, and from which hour to which.

    Faults count that began from ``begin`` on and were due by ``due_by``, which leaves the alert some time
    before the ``end``; alerts count that were raised from ``begin`` on.
    """

    deliveries: int
    working_days: float
    units: int
    end: float
    begin: float = 0.0
    settle: float = 0.0

    @property
    def due_by(self) -> float:
        """Return until when a fault must be due to count."""
        return self.end - self.settle


@dataclass(frozen=True)
class Score:
    """A monitor's worth as frames.

    ``classes``: a row for each unit (item, episode), class and level (hard; any: soft ones too) with
    ``CLASSES_COLUMNS``; counts, shares, and days from the fault's beginning. ``median_days`` and
    ``days_90`` are read from the survival curve of time to the alert, in which what was missed is censored
    (infinite: not reached); ``median_days_found`` is over those found. ``lead_days`` is the median gap to
    people's own notice, over those that both found. ``spoken_of`` counts the items for which some rule that
    is on points at the class and speaks of such a message: the rest is missed by definition.

    ``rules``: a row for each rule and level with ``alerts, true, precision, inconclusive, recovered``.
    ``burden``: a row for each level with ``alerts, true, precision, inconclusive, per_working_day,
    per_1000_deliveries, per_unit_and_working_day``; precision leaves out alerts about the logs themselves.
    ``times``: a row for each item or episode that was due and each level: ``unit, class, level, hours,
    found``, the time from the beginning to the alert; where there was none, to the fault's or the run's end.
    ``over``: it was missed and had ended by then, as people mended it or it came after all.
    """

    classes: pd.DataFrame
    rules: pd.DataFrame
    burden: pd.DataFrame
    times: pd.DataFrame


def score(
    alerts: Alerts,
    missing: Missing,
    rules: Sequence[Rule],
    directory: Directory,
    truth: Truth,
    exposure: Exposure,
) -> Score:
    """Return what alerts were worth against the truth; their order plays no part.

    ``missing`` gives the keys that an alert lists beside it. ``rules`` are those that were on.
    """
    alerts = alerts[alerts["raised"] >= exposure.begin]
    violated = alerts[alerts["verdict"] == Verdict.violated]
    items = truth.items.reset_index(drop=True)
    episodes = truth.episodes.reset_index(drop=True)
    touching = touches(violated, missing, rules, directory, items, episodes, truth.touched)
    parts: list[pd.DataFrame] = []
    times: list[pd.DataFrame] = []
    owed = items.assign(spoken_of=spoken_of(items, rules, directory))
    owed = owed[(owed["began"] >= exposure.begin) & (owed["due"] <= exposure.due_by)]
    of_episodes = _owed_episodes(episodes, truth.touched, owed, exposure)
    for level in LEVELS:
        for unit, things, pairs in (
            ("item", owed, touching.named.rename(columns={"item": "thing"})),
            ("episode", of_episodes, touching.episodes.rename(columns={"episode": "thing"})),
        ):
            timed = things.assign(raised=_first(violated, pairs, things.index, level))
            for name, part in timed.groupby("class" if unit == "episode" else "fault", sort=True):
                names = {"unit": unit, "class": name, "level": level}
                timed_part = _times(part, exposure.end)
                parts.append(pd.DataFrame([{**names, **_of_class(part, timed_part, exposure.end)}]))
                times.append(timed_part.assign(**names))
    return Score(
        _joined(parts, CLASSES_COLUMNS),
        _of_rules(alerts, violated, rules, touching),
        _burden(alerts, violated, rules, touching, exposure),
        _joined(times, TIMES_COLUMNS),
    )


def _joined(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(parts, ignore_index=True)[list(columns)]


def _owed_episodes(
    episodes: pd.DataFrame, touched: pd.DataFrame, owed: pd.DataFrame, exposure: Exposure
) -> pd.DataFrame:
    """Return the episodes that made an item due, with class, and the spoken-of of their items."""
    by_key = touched[["episode", "key"]].merge(owed[["key", "spoken_of"]], on="key")
    speaks = by_key.groupby("episode")["spoken_of"].any()
    inside = (episodes["began"] >= exposure.begin) & (episodes["began"] <= exposure.due_by)
    made = episodes.loc[episodes.index.isin(speaks.index) & inside]
    name = np.where(made["kind"] == "defect", made["fault"], made["kind"])
    return made.assign(**{"class": name, "spoken_of": speaks.reindex(made.index).to_numpy(bool)})


def _first(violated: Alerts, pairs: pd.DataFrame, index: pd.Index[int], level: str) -> NDArray[np.float64]:
    """Return when the first alert of a level was raised for each thing; infinite where none was."""
    alert = pairs["alert"].to_numpy(np.int64)
    least = Level.hard if level == "hard" else Level.soft
    counts = violated["level"][alert] >= least
    raised = pd.Series(violated["raised"][alert][counts], index=pairs["thing"].to_numpy()[counts])
    return raised.groupby(level=0).min().reindex(index, fill_value=np.inf).to_numpy(np.float64)


def _times(part: pd.DataFrame, end: float) -> pd.DataFrame:
    """Return the hours to the alert, or for what was missed to the fault's or the run's end."""
    raised, found = part["raised"], np.isfinite(part["raised"])
    hours = raised.where(found, np.minimum(part["ended"], end)) - part["began"]
    over = ~found & (part["ended"] <= end)
    return pd.DataFrame({"hours": hours.clip(lower=0.0), "found": found, "over": over})


def _of_class(part: pd.DataFrame, times: pd.DataFrame, end: float) -> dict[str, float]:
    """Return the row of one class: counts, shares, and days."""
    began, raised, people = (part[c].to_numpy(np.float64) for c in ("began", "raised", "people_noticed"))
    found, noticed = np.isfinite(raised), people <= end
    before, both = found & (raised < people), found & noticed
    return {
        "due": len(part),
        "found": int(found.sum()),
        "before_people": int(before.sum()),
        "by_people": int(noticed.sum()),
        "spoken_of": int(part["spoken_of"].sum()),
        "recall": float(found.mean()),
        "recall_before_people": float(before.mean()),
        "people_share": float(noticed.mean()),
        "median_days": days_until(times, 0.5),
        "days_90": days_until(times, 0.9),
        "median_days_found": _median(raised[found] - began[found]),
        "people_median_days": _median(people[noticed] - began[noticed]),
        "lead_days": _median(people[both] - raised[both]),
    }


def _median(hours: NDArray[np.float64]) -> float:
    return float(np.median(hours)) / HOURS_PER_DAY if len(hours) else np.nan


def found_curve(times: pd.DataFrame) -> pd.DataFrame:
    """Return the share found by so many days after the beginning: ``days, found_share``.

    ``times`` has ``hours`` and ``found``; what was missed is censored (Kaplan and Meier 1958).
    """
    found = times["found"].to_numpy(bool)
    if not found.any():
        return pd.DataFrame({"days": [0.0], "found_share": [0.0]})
    data = stats.CensoredData.right_censored(times["hours"].to_numpy(np.float64), ~found)
    cdf = stats.ecdf(data).cdf
    return pd.DataFrame({"days": cdf.quantiles / HOURS_PER_DAY, "found_share": cdf.probabilities})


def days_until(times: pd.DataFrame, share: float) -> float:
    """Return after how many days a share was found; infinite where the curve ends below it."""
    curve = found_curve(times)
    # What is a share only but for rounding counts as reached.
    reached = np.flatnonzero(curve["found_share"].to_numpy() >= share - 1e-12)
    return float(curve["days"].iloc[reached[0]]) if len(reached) else np.inf


def _tested(violated: Alerts, rules: Sequence[Rule]) -> NDArray[np.bool_]:
    """Return which alerts are about messages, not about the logs themselves."""
    about_logs = [n for n, rule in enumerate(rules) if rule.kind == RuleKind.heartbeat]
    return ~np.isin(violated["rule"], about_logs)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else np.nan


def _of_rules(alerts: Alerts, violated: Alerts, rules: Sequence[Rule], touching: Touches) -> pd.DataFrame:
    """Return a row for each rule and level that gave an alert, or might have given one."""
    rows = []
    for number, rule in enumerate(rules):
        for level in Level:
            mine = (violated["rule"] == number) & (violated["level"] == level)
            said = (alerts["rule"] == number) & (alerts["level"] == level)
            count, true = int(mine.sum()), int(touching.true[mine].sum())
            rows.append(
                {
                    "rule": rule.id,
                    "kind": rule.kind.value,
                    "level": level.name,
                    "alerts": count,
                    "true": true,
                    "precision": np.nan if rule.kind == RuleKind.heartbeat else _share(true, count),
                    "inconclusive": int((alerts["verdict"][said] == Verdict.inconclusive).sum()),
                    "recovered": int(np.isfinite(violated["recovered"][mine]).sum()),
                }
            )
    return pd.DataFrame(rows)


def _burden(
    alerts: Alerts, violated: Alerts, rules: Sequence[Rule], touching: Touches, exposure: Exposure
) -> pd.DataFrame:
    """Return how many alerts there were, and how many of them touched a true fault, by level."""
    tested = _tested(violated, rules)
    rows = []
    for level in Level:
        mine = violated["level"] == level
        count, true = int(mine.sum()), int(touching.true[mine & tested].sum())
        silent = (alerts["verdict"] == Verdict.inconclusive) & (alerts["level"] == level)
        rows.append(
            {
                "level": level.name,
                "alerts": count,
                "true": true,
                "precision": _share(true, int((mine & tested).sum())),
                "inconclusive": int(silent.sum()),
                "per_working_day": _share(count, exposure.working_days),
                "per_1000_deliveries": _share(1000 * count, exposure.deliveries),
                "per_unit_and_working_day": _share(count, exposure.working_days * exposure.units),
            }
        )
    return pd.DataFrame(rows)
