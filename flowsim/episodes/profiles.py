"""Small frames for charts, drawn from a run's tables: backlog, delays, time to care, stages."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from flowsim.journal import RunHeader
from flowsim.vocabulary import Party

#: Edges in hours of the delay histogram: a minute to a year, ten a decade, the first bin from 0.
DELAY_EDGES_HOURS: Final = np.concatenate([[0.0], 10.0 ** np.arange(-1.8, 4.01, 0.1)])


def backlog(daily: np.ndarray[Any, Any], header: RunHeader) -> pd.DataFrame:
    """Return how many lay on lists at the end of each day, by kind of service and party.

    Columns: day (1 is the first), service_kind, party, waiting_for ("work": a service's work list,
    "place": its beds or slots), list_length (sum over services). All cases count, not only the cohort.
    """
    names = {int(party): party.name for party in Party}
    groups = sorted({(s.kind, s.party) for s in header.services})
    codes = np.array([groups.index((s.kind, s.party)) for s in header.services], np.int64)
    columns = ("day", "service_kind", "party", "waiting_for", "list_length")
    frames = [pd.DataFrame({name: [] for name in columns})]
    for code, (kind, party) in enumerate(groups):
        for list_of_service, waiting_for in enumerate(("work", "place")):
            total = daily[:, list_of_service::2][:, codes == code].sum(axis=1, dtype=np.int64)
            if total.any():
                values = (np.arange(1, len(daily) + 1), kind, names.get(party, ""), waiting_for, total)
                frames.append(pd.DataFrame(dict(zip(columns, values, strict=True))))
    return pd.concat(frames[1:] or frames, ignore_index=True)


def delivery_delay(deliveries: pd.DataFrame) -> pd.DataFrame:
    """Return how many deliveries took how long from authoring to being seen, by kind and channel.

    Columns: kind, channel, outcome, low_hours, high_hours, count. Outcome is "seen" with the edges of
    a bin, or the fate of those not seen (lost, waiting, cancelled) with no edges.
    """
    kind, channel = deliveries["kind"].cat, deliveries["channel"].cat
    delay = (deliveries["seen_hours"] - deliveries["authored_hours"]).to_numpy()
    fate = deliveries["fate"].cat
    bins = len(DELAY_EDGES_HOURS) - 1
    index = np.clip(np.searchsorted(DELAY_EDGES_HOURS, delay, side="right") - 1, 0, bins - 1)
    index = np.where(np.isnan(delay), bins + fate.codes.to_numpy(), index)
    width = bins + len(fate.categories)
    pairs = kind.codes.to_numpy().astype(np.int64) * len(channel.categories) + channel.codes.to_numpy()
    counts = np.bincount(pairs * width + index)
    there = np.flatnonzero(counts)
    pair, slot = np.divmod(there, width)
    seen = slot < bins
    edge = np.where(seen, slot, 0)
    names = np.asarray(fate.categories)
    return pd.DataFrame(
        {
            "kind": np.asarray(kind.categories)[pair // len(channel.categories)],
            "channel": np.asarray(channel.categories)[pair % len(channel.categories)],
            "outcome": np.where(seen, "seen", names[np.where(seen, 0, slot - bins)]),
            "low_hours": np.where(seen, DELAY_EDGES_HOURS[edge], np.nan),
            "high_hours": np.where(seen, DELAY_EDGES_HOURS[edge + 1], np.nan),
            "count": counts[there],
        }
    )


def time_to_care(cases: pd.DataFrame, header: RunHeader) -> pd.DataFrame:
    """Return how many cases had started, withdrawn or neither by each day from 0 to the horizon.

    Columns: pathway, urgency, day, started, withdrawn, turned_away, not_started; the four add up to the
    cases of the pathway and urgency on every day. As every case is followed to τ, these are counts.
    """
    days = np.arange(int(np.floor(header.follow_up_hours / 24.0)) + 1)
    cared = cases[cases["has_care"]]
    frames = []
    for (pathway, urgency), group in cared.groupby(["pathway", "urgency"], observed=True):
        at = group["time_to_care_days"].to_numpy()
        columns: dict[str, Any] = {"pathway": pathway, "urgency": urgency, "day": days}
        for name in ("started", "withdrawn", "turned_away"):
            instants = np.sort(at[group[name].to_numpy()])
            columns[name] = np.searchsorted(instants, days, side="right")
        columns["not_started"] = (
            len(group) - columns["started"] - columns["withdrawn"] - columns["turned_away"]
        )
        frames.append(pd.DataFrame(columns))
    if not frames:
        names = ("pathway", "urgency", "day", "started", "withdrawn", "turned_away", "not_started")
        return pd.DataFrame({name: [] for name in names})
    return pd.concat(frames, ignore_index=True)


def stages(deliveries: pd.DataFrame) -> pd.DataFrame:
    """Return how many deliveries failed at which stage, by fault, parties and channel.

    Columns: stage_failed (empty: none), fault, sender_party, receiver_party, channel, count.
    """
    by = ["stage_failed", "fault", "sender_party", "receiver_party", "channel"]
    return deliveries.groupby(by, observed=True).size().rename("count").reset_index()
