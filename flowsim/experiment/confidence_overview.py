"""How sure the results are, as a person reads it on the console."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from flowsim.experiment.overview import Shown, aligned, text_of
from flowsim.labels import Labels, load_labels
from flowsim.statistics import LITTLE_GAIN, Settling

#: Lists named one by one in a warning about warm-up; the rest is counted.
_LISTS_SHOWN: Final = 3
#: Shares of which it is told where nothing was seen.
_TOLD_UNSEEN: Final = ("referrals_lost_share", "deliveries_lost_share")


def pairing_block(pairing: pd.DataFrame, measures: Sequence[str] = ()) -> str:
    """Return what pairing was worth for the whole, and why where that is below ``LITTLE_GAIN``."""
    labels = load_labels("en")
    part = _whole(pairing, measures)
    if part.empty:
        return "Nothing is compared here."
    body = [
        [
            row["scenario"],
            row["baseline"],
            row["measure"],
            _gain(row),
            labels.word("pairing_reason", row["reason"]) if row["reason"] else "",
        ]
        for row in part.to_dict("records")
    ]
    heads = ["scenario", "baseline", "measure", "pairing's gain (95 %)", "why so little"]
    known = part.loc[part["pairing_gain"].notna(), "pairing_gain"]
    note = (
        f"{int((known >= LITTLE_GAIN).sum())} of {len(part)} comparisons gain {LITTLE_GAIN:g} or more. A "
        "gain of 4 means that unpaired runs would need four times the replications for the same interval."
    )
    return "\n".join([*aligned(heads, body, left=5), "", note])


def _gain(row: Mapping[Any, Any]) -> str:
    gain, low, high = row["pairing_gain"], row["low"], row["high"]
    if math.isnan(gain):
        return "–"
    if math.isinf(gain):
        return "the same difference each time"
    ends = "" if math.isnan(low) else f" ({_two(low)}–{_two(high)})"
    return f"{_two(gain)}{ends}"


def _two(value: float) -> str:
    """Return a number with two digits that count."""
    if math.isinf(value):
        return "∞"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def case_block(cases: pd.DataFrame) -> str:
    """Return how the same cases fare in two worlds: how many sooner, the same, later, and by how much."""
    if cases.empty:
        return (
            "No cases to compare: keep is 'summary', or nothing is compared. Write keep: cases and run again."
        )
    labels = load_labels("en")
    body = [_case_row(row, labels) for row in cases.to_dict("records") if _is_shown(str(row["group"]))]
    heads = ["scenario", "baseline", "group", "cases", "sooner", "same", "later"]
    heads += ["difference (95 %)", "where any", "gain by case"]
    note = (
        "Time to care, day by day for the same case in both worlds. The interval is over replications, as "
        "cases of one share their queues. One case is one possible pairing: what counts is the mean over all."
    )
    return "\n".join([*aligned(heads, body, left=3), "", note])


def _is_shown(group: str) -> bool:
    return "," not in group


def _case_row(row: Mapping[Any, Any], labels: Labels) -> list[str]:
    shown = text_of(Shown(row["difference"], row["low"], row["high"], "days"), labels, sign=True)
    shares = [labels.percent(row[name]) for name in ("sooner_share", "same_share", "later_share")]
    where = labels.number(row["difference_where_any"], 1, sign=True) + " d"
    gain = "–" if math.isnan(row["case_gain"]) else _two(row["case_gain"])
    group = str(row["group"]) or "all"
    return [row["scenario"], row["baseline"], group, str(row["cases"]), *shares, shown, where, gain]


def _whole(table: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    if table.empty:
        return table
    part = table[table["group"] == ""]
    return part[part["measure"].isin(list(measures))] if measures else part


def unseen_lines(rare: pd.DataFrame) -> list[str]:
    """Return a sentence for each share of which nothing was seen, with its upper bound."""
    labels = load_labels("en")
    return [
        f"{labels.measure(row['measure']).capitalize()} in '{row['scenario']}': none of {row['trials']} was "
        f"seen; below {100 * row['high']:.2g} % (95 %, if independent)."
        for row in _whole(rare, ()).to_dict("records")
        if row["hits"] == 0 and row["measure"] in _TOLD_UNSEEN
    ]


def warm_up_lines(steady: pd.DataFrame) -> list[str]:
    """Return warnings about lists that had not settled when the window opened, one a list and verdict."""
    if steady.empty:
        return []
    labels = load_labels("en")
    unsettled = steady[steady["verdict"].isin([str(Settling.late), str(Settling.never)])]
    lines = []
    for (kind, waiting, verdict), part in unsettled.groupby(
        ["service_kind", "waiting_for", "verdict"], sort=False
    ):
        what = (
            f"{labels.word('service_kind', kind)} ({'waiting list' if waiting == 'place' else 'work list'})"
        )
        lines.append(_warm_up_line(what, str(verdict), part))
    more = len(lines) - _LISTS_SHOWN
    rest = [f"And {more} more lists: see steady_state.csv."] if more > 0 else []
    return [*lines[:_LISTS_SHOWN], *rest]


def _warm_up_line(what: str, verdict: str, part: pd.DataFrame) -> str:
    where = f"'{part['scenario'].iloc[0]}'"
    if len(part) > 1:
        where += f" and {len(part) - 1} more scenarios"
    change = (part["backlog_before"] / part["backlog_after"] - 1).mean()
    much = f"{abs(100 * change):.0f} % {'longer' if change > 0 else 'shorter'}"
    warm_up, weeks = part["warm_up_weeks"].iloc[0], part["settles_after_weeks"].max()
    if verdict == str(Settling.never):
        return (
            f"Warm-up: the {what} still moves late in the run in {where} ({much} after the opening of the "
            "window than at the end). The run is too short to say when it settles, if it does: look at "
            "capacity and waiting_at_start."
        )
    return (
        f"Warm-up: the {what} settles after {weeks:.0f} weeks in {where}, and warm_up is {warm_up:.0f} "
        f"weeks; from the opening of the window until then it is {much} than later. Lengthen warm_up, or set "
        "waiting_at_start."
    )
