"""Which faults can be found with which logs: one replication scored, and the tables over replications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from flowsim.config.rules_file import MonitorFile
from flowsim.experiment.jobs import Job
from flowsim.experiment.overview import aligned
from flowsim.experiment.tables import write_table
from flowsim.experiment.watching import LOGS, SOURCE_SETS, Setting, watch
from flowsim.labels import Labels
from flowsim.monitor.score import days_until
from flowsim.statistics import critical_t

#: Below this share found, the reason is told.
ENOUGH: Final = 0.9
#: The frames of a score, a file each in a run folder.
FRAMES: Final = ("classes", "rules", "burden", "times")
_SEEN: Final = ["logs", "sources"]
_CLASS: Final = [*_SEEN, "unit", "class", "level"]
_SHARES: Final = ("recall", "recall_before_people", "people_share")
_DAYS: Final = ("median_days_found", "people_median_days", "lead_days")
_BURDEN: Final = ("per_working_day", "per_1000_deliveries", "per_unit_and_working_day", "precision")
_NUMBER: Final = {
    "due": "deliveries", "found": "deliveries", "before_people": "deliveries", "by_people": "deliveries",
    "spoken_of": "deliveries", **dict.fromkeys(_SHARES, "share"), "median_days": "days", "days_90": "days",
    **dict.fromkeys(_DAYS, "days"),
}  # fmt: skip


def score_replication(job: Job, folder: Path, _twins: Mapping[str, Path], setting: Setting) -> dict[str, Any]:
    """Simulate a job's replication once, let every monitor see it, and write what each was worth."""
    watched = watch(job.design, job.replication, setting)
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in FRAMES}
    off: dict[str, dict[str, str]] = {}
    for seeing in watched.watches:
        result = watched.score(seeing)
        off[f"{seeing.logs}, {seeing.sources}"] = {o.id: o.why for o in watched.watches[seeing].off}
        for name in FRAMES:
            part: pd.DataFrame = getattr(result, name)
            frames[name].append(part.assign(logs=seeing.logs, sources=seeing.sources))
    for name, parts in frames.items():
        write_table(pd.concat(parts, ignore_index=True), folder / f"{name}.parquet")
    exposure = watched.exposure
    return {"deliveries": exposure.deliveries, "working_days": exposure.working_days, "rules_off": off}


def score_table(classes: pd.DataFrame, burden: pd.DataFrame) -> pd.DataFrame:
    """Return every number of every replication, a row each.

    ``replication, logs, sources, unit, class, level, measure, value, value_unit``; alerts stand under unit
    and class "".
    """
    parts = [_long(classes, ["replication", *_CLASS], _NUMBER)]
    alerts = burden.assign(unit="", **{"class": ""})
    counted = {"alerts": "alerts", "true": "alerts", "inconclusive": "alerts"}
    per = {"per_working_day": "alerts", "per_1000_deliveries": "alerts", "per_unit_and_working_day": "alerts"}
    parts.append(_long(alerts, ["replication", *_CLASS], {**counted, **per, "precision": "share"}))
    return pd.concat(parts, ignore_index=True)


def _long(frame: pd.DataFrame, keys: list[str], measures: Mapping[str, str]) -> pd.DataFrame:
    table = frame.melt(keys, list(measures), var_name="measure", value_name="value")
    return table.assign(value_unit=table["measure"].map(dict(measures)), value=table["value"].astype(float))


def detectability_table(classes: pd.DataFrame, times: pd.DataFrame, rules: MonitorFile) -> pd.DataFrame:
    """Return how much of each class is found, how fast, and why not more, over all replications.

    ``logs, sources, unit, class, level``, then ``due`` (a replication's mean), ``recall, low, high`` (mean,
    95 % simulation interval), ``recall_before_people`` and ``people_share`` likewise, ``spoken_of_share`` (of
    what was due, the share that some rule for these logs speaks of: the rest is missed by definition),
    ``median_days, days_90`` (read from the survival curve of all replications, what was missed censored;
    infinite: not reached), ``median_days_found``, ``people_median_days``, ``lead_days`` (means of the
    replications' medians), ``why`` (a code where recall is below 90 %), ``replications``.
    """
    grouped = classes.groupby(_CLASS, sort=False)
    table = grouped.agg(due=("due", "mean"), replications=("replication", "nunique")).reset_index()
    for share in _SHARES:
        names = ("recall", "low", "high") if share == "recall" else (share, f"{share}_low", f"{share}_high")
        table = table.merge(_interval(classes, share, names), on=_CLASS)
    sums = grouped[["due", "spoken_of"]].sum().reset_index()
    table["spoken_of_share"] = (sums["spoken_of"] / sums["due"]).to_numpy()
    pooled = times.groupby(_CLASS, sort=False)[["hours", "found"]].apply(
        lambda part: pd.Series({"median_days": days_until(part, 0.5), "days_90": days_until(part, 0.9)})
    )
    table = table.merge(pooled.reset_index(), on=_CLASS)
    table = table.merge(grouped[list(_DAYS)].mean().reset_index(), on=_CLASS)
    return _in_order(_with_reasons(table, times, rules))


def _interval(classes: pd.DataFrame, column: str, names: Sequence[str]) -> pd.DataFrame:
    parts = classes.groupby(_CLASS, sort=False)[column].agg(["mean", "std", "count"]).reset_index()
    half = critical_t(parts["count"]) * parts["std"].to_numpy() / np.sqrt(parts["count"].to_numpy())
    ends = [parts["mean"], (parts["mean"] - half).clip(lower=0.0), (parts["mean"] + half).clip(upper=1.0)]
    return parts[_CLASS].assign(**dict(zip(names, ends, strict=True)))


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows by logs, unit, class, level, and sets of sources as they widen."""
    place = table["sources"].map({name: n for n, name in enumerate(SOURCE_SETS)})
    unit = table["unit"].map({"item": 0, "episode": 1})
    ordered = table.assign(_unit=unit, _place=place, _logs=table["logs"].map(LOGS.index))
    ordered = ordered.sort_values(["_logs", "_unit", "class", "level", "_place"], kind="stable")
    return ordered.drop(columns=["_unit", "_place", "_logs"]).reset_index(drop=True)


def _with_reasons(table: pd.DataFrame, times: pd.DataFrame, rules: MonitorFile) -> pd.DataFrame:
    """Return the table with ``why``: the reason for a recall below 90 %, as a code (labels: why_missed)."""
    guessed = {name for rule in rules.rules if rule.on for name in rule.guess}
    perfect = table[table["logs"] == "perfect"].set_index(["sources", "unit", "class", "level"])["recall"]
    ended = times.assign(missed=~times["found"]).groupby(_CLASS, sort=False)[["missed", "over"]].sum()
    codes = []
    for row in table.itertuples():
        name, key = row[4], (row.sources, row.unit, row[4], row.level)
        lost = 1.0 - float(row.recall)  # type: ignore[arg-type]
        missed, over = ended.loc[(row.logs, *key)]  # type: ignore[index]
        if row.recall >= ENOUGH:  # type: ignore[operator, arg-type]
            codes.append("")
        elif row.unit == "item" and name not in guessed:
            codes.append("no_rule")
        elif row.spoken_of_share == 0:
            codes.append("no_source")
        elif 1.0 - row.spoken_of_share >= lost / 2:  # type: ignore[operator]
            codes.append("not_spoken_of")
        elif row.logs != "perfect" and perfect.get(key, 0.0) - float(row.recall) >= lost / 2:  # type: ignore[arg-type]
            codes.append("logs")
        else:
            codes.append("over" if over >= missed / 2 else "limit")
    return table.assign(why=codes)


def burden_table(burden: pd.DataFrame) -> pd.DataFrame:
    """Return alerts and precision by logs, sources and level: means with 95 % simulation intervals.

    ``logs, sources, level``, then each of alerts a working day, for 1,000 deliveries, a unit and working day,
    and precision, with ``_low`` and ``_high``; ``inconclusive`` (a replication's mean), ``replications``.
    """
    keys = [*_SEEN, "level"]
    grouped = burden.groupby(keys, sort=False)
    table = grouped.agg(inconclusive=("inconclusive", "mean"), replications=("replication", "nunique"))
    for column in _BURDEN:
        parts = grouped[column].agg(["mean", "std", "count"])
        half = critical_t(parts["count"]) * parts["std"] / np.sqrt(parts["count"])
        table[column], table[f"{column}_low"] = parts["mean"], (parts["mean"] - half).clip(lower=0.0)
        high = parts["mean"] + half
        table[f"{column}_high"] = high.clip(upper=1.0) if column == "precision" else high
    return table.reset_index()


def rules_table(rules: pd.DataFrame) -> pd.DataFrame:
    """Return what each rule gave: ``logs, sources, rule, kind, level``, alerts (mean), precision (pooled)."""
    keys = [*_SEEN, "rule", "kind", "level"]
    grouped = rules.groupby(keys, sort=False)
    table = grouped[["alerts", "true", "inconclusive", "recovered"]].mean()
    tested = rules[rules["precision"].notna()].groupby(keys, sort=False)[["true", "alerts"]].sum()
    table["precision"] = tested["true"] / tested["alerts"]
    return table[table[["alerts", "inconclusive"]].sum(axis=1) > 0].reset_index()


def overview(table: pd.DataFrame, burden: pd.DataFrame, labels: Labels, level: str = "any") -> str:
    """Return what a person at a console reads: for each kind of logs a row a class, a column a set."""
    lines: list[str] = []
    for logs in dict.fromkeys(table["logs"]):
        part = table[(table["logs"] == logs) & (table["level"] == level)]
        sets = [name for name in SOURCE_SETS if name in set(part["sources"])]
        heads = [labels.word("source_set", name) for name in sets]
        rows: list[list[str]] = []
        for _, of in part.groupby(["unit", "class"], sort=False):
            by_set = of.set_index("sources")
            cells = [_found(by_set.loc[each], labels) if each in by_set.index else "" for each in sets]
            rows.append([_word(of, labels), *cells, labels.percent(float(of["people_share"].iloc[-1]), 0)])
        for which in ("hard", "soft"):
            daily = burden[(burden["logs"] == logs) & (burden["level"] == which)].set_index("sources")
            cells = [_alerts(daily.loc[name], labels) if name in daily.index else "" for name in sets]
            rows.append([labels.text(f"detectability_{which}_a_day"), *cells, ""])
        head = [labels.word("logs", logs), *heads, labels.text("detectability_people")]
        lines += [*aligned(head, rows, left=1), ""]
        widest = part[part["sources"] == sets[-1]]
        lines += [
            labels.text("detectability_why", what=_word(of, labels), why=labels.word("why_missed", why))
            for why, of in (
                (row["why"].iloc[0], row) for _, row in widest.groupby(["unit", "class"], sort=False)
            )
            if why
        ]
        lines.append("")
    return "\n".join(lines).rstrip()


def _word(of: pd.DataFrame, labels: Labels) -> str:
    """Return what a row's class is called: a fault, or a kind of episode."""
    unit, name = str(of["unit"].iloc[0]), str(of["class"].iloc[0])
    kinds = labels.tables["episode_kind"]
    if unit == "item":
        return labels.word("fault", name)
    return str(kinds[name]) if name in kinds else f"{kinds['defect']}: {labels.word('fault', name)}"


def _found(row: Any, labels: Labels) -> str:
    """Return share found, and the median and 90 % of the days it took, from the survival curve."""
    share = labels.percent(float(row["recall"]), 0)
    if not row["recall"]:
        return share
    days = (f"{labels.number(row[d], 1)}" if np.isfinite(row[d]) else "–" for d in ("median_days", "days_90"))
    return f"{share} {'/'.join(days)}"


def _alerts(row: Any, labels: Labels) -> str:
    right = labels.percent(float(row["precision"]), 0) if np.isfinite(row["precision"]) else "–"
    return f"{labels.number(float(row['per_working_day']), 1)} ({right})"
