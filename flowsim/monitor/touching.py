"""Which alerts touch which faults: by the message they name, by the ids they list, or by their stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flowsim.monitor.rules import IN_SENDERS_LOG, Rule
from flowsim.observe.directory import Directory
from flowsim.vocabulary import Fault, RuleKind

Alerts = np.ndarray[Any, Any]
Missing = Callable[[Any], Sequence[int] | NDArray[np.int64]]

#: What an episode without a class of its own brings about.
CLASSES_OF_EPISODE: Final = {
    "unwatched_list": frozenset([Fault.unwatched]),
    "old_address": frozenset([Fault.misaddressed]),
    "outage": frozenset([Fault.undelivered, Fault.late]),
}
_STREAM: Final = ("sender", "place", "template", "message", "channel")


@dataclass(frozen=True)
class Touches:
    """Pairs of places: alert and fault, alert and episode.

    ``named`` are pairs of an alert and a fault whose message it names or lists, raised after the fault
    began. ``true`` says of each alert whether it touches a true fault at all. ``episodes`` are pairs of an
    alert and an episode, raised while the episode was active.
    """

    named: pd.DataFrame
    episodes: pd.DataFrame
    true: NDArray[np.bool_]


def touches(
    alerts: Alerts,
    missing: Missing,
    rules: Sequence[Rule],
    directory: Directory,
    items: pd.DataFrame,
    episodes: pd.DataFrame,
    touched: pd.DataFrame,
) -> Touches:
    """Return what each alert touches.

    An alert names a message by its key, or lists it as missing. It touches a fault of that message which
    was there at some time between ``since`` and ``raised``; an alert about a patient or conversation
    (``subject``) touches a fault of the classes it guesses likewise. An alert about a stream that lists
    nothing touches an episode of its stream that is of a class it guesses; or as many faults of the
    classes it guesses as it misses, since in a large stream there is always some fault: as many as it
    counts, and of a volume that fell what its last bucket lacks to what was usual.
    """
    table = _table(alerts, rules)
    named = _named(table, alerts, missing)
    by_key = named.merge(
        items.reset_index(names="item")[["item", "key", "began", "ended"]], on="key", how="inner"
    )
    by_key = by_key[by_key["began"] <= by_key["raised"]]
    true = np.zeros(len(alerts), bool)
    true[by_key.loc[by_key["ended"] >= by_key["since"], "alert"]] = True
    true[_of_subjects(table, rules, items)] = True
    streams = _streams(table)
    pairs = _episode_pairs(named, streams, rules, directory, items, episodes, touched)
    during = pairs[(pairs["began"] <= pairs["raised"]) & (pairs["raised"] < pairs["ended"])]
    over = pairs[(pairs["began"] <= pairs["raised"]) & (pairs["ended"] >= pairs["since"])]
    true[over["alert"]] = True
    true[_explained(streams, rules, items, true)] = True
    return Touches(by_key[["alert", "item"]], during[["alert", "episode"]], true)


def _table(alerts: Alerts, rules: Sequence[Rule]) -> pd.DataFrame:
    """Return what matters of alerts as a frame, with what their ``unit`` is: sender or place."""
    columns = ("raised", "since", "key", "subject", "rule", "sender", "receiver", "template", "message")
    table = pd.DataFrame({name: alerts[name].copy() for name in (*columns, "channel", "count", "unit")})
    table.insert(0, "alert", np.arange(len(alerts)))
    senders = np.array([bool(rule.when.seen & IN_SENDERS_LOG) for rule in rules] or [False])
    of_sender = senders[table["rule"].to_numpy()] if len(table) else np.zeros(0, bool)
    unit = table["unit"].to_numpy()
    table["sender"] = np.where((table["sender"] < 0) & of_sender, unit, table["sender"])
    table["place"] = np.where((table["receiver"] < 0) & ~of_sender, unit, table["receiver"])
    return table


def _named(table: pd.DataFrame, alerts: Alerts, missing: Missing) -> pd.DataFrame:
    """Return alert, key, since and raised for each message that an alert names or lists."""
    keyed = table.loc[table["key"] != 0, ["alert", "key", "since", "raised"]]
    listed = [
        (place, np.asarray(keys, dtype=np.int64))
        for place in table.loc[table["key"] == 0, "alert"]
        for keys in [missing(alerts[place])]
        if len(keys)
    ]
    if not listed:
        return keyed
    places = np.repeat([place for place, _ in listed], [len(keys) for _, keys in listed])
    more = pd.DataFrame(
        {
            "alert": places,
            "key": np.concatenate([keys for _, keys in listed]),
            "since": alerts["since"][places],
            "raised": alerts["raised"][places],
        }
    )
    return pd.concat([keyed, more], ignore_index=True)


def _of_subjects(table: pd.DataFrame, rules: Sequence[Rule], items: pd.DataFrame) -> NDArray[np.int64]:
    """Return the alerts about a patient or conversation that has a fault of a class they guess."""
    asked = table[(table["key"] == 0) & (table["subject"] != 0)]
    if asked.empty or "subject" not in items.columns:
        return np.empty(0, np.int64)
    both = asked[["alert", "subject", "rule", "since", "raised"]].merge(
        items[["subject", "fault", "began", "ended"]], on="subject"
    )
    both = both[(both["began"] <= both["raised"]) & (both["ended"] >= both["since"])]
    guessed = [Fault[f] in rules[r].guess for f, r in zip(both["fault"], both["rule"], strict=True)]
    return both.loc[guessed, "alert"].to_numpy(np.int64)


def _streams(table: pd.DataFrame) -> pd.DataFrame:
    """Return the alerts about a stream: those without key and subject that say any of its ends or kinds."""
    of_stream = ((table["key"] == 0) & (table["subject"] == 0)).to_numpy(bool)
    return table[of_stream & _said(table).any(axis=1)]


def _said(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return for each alert which columns of its stream it says: the ends from 0, the words from 1."""
    least = {"message": 1, "channel": 1}
    return np.column_stack([table[name].to_numpy() >= least.get(name, 0) for name in _STREAM])


def _inside(stream: Any, said: NDArray[np.bool_], frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows of a frame with the columns of a stream belong to it."""
    inside = np.ones(len(frame), bool)
    for name, is_said in zip(_STREAM, said, strict=True):
        if is_said:
            inside &= frame[name].to_numpy() == getattr(stream, name)
    return inside


def _episode_pairs(
    named: pd.DataFrame,
    streams: pd.DataFrame,
    rules: Sequence[Rule],
    directory: Directory,
    items: pd.DataFrame,
    episodes: pd.DataFrame,
    touched: pd.DataFrame,
) -> pd.DataFrame:
    """Return alert, episode, since, raised, began and ended wherever an alert is on an episode's stream."""
    by_key = named.merge(touched[["episode", "key"]], on="key")[["alert", "episode", "since", "raised"]]
    parts = [by_key]
    ends = _streams_of_episodes(directory, items, episodes, touched)
    classes = [
        CLASSES_OF_EPISODE.get(kind) or frozenset([Fault[fault]])
        for kind, fault in zip(episodes["kind"], episodes["fault"], strict=True)
    ]
    for said, group in _grouped(streams):
        for stream in group.drop_duplicates(["rule", *_STREAM]).itertuples():
            guess = frozenset(rules[int(stream.rule)].guess)  # type: ignore[arg-type]
            inside = ends.loc[_inside(stream, said, ends), "episode"].unique()
            found = [episode for episode in inside if classes[episode] & guess]
            same = group[_inside(stream, said, group) & (group["rule"] == stream.rule).to_numpy()]
            if found:
                together = pd.DataFrame({"episode": found})
                parts.append(same[["alert", "since", "raised"]].merge(together, "cross"))
    times = episodes[["began", "ended"]].rename_axis("episode").reset_index()
    return (
        pd.concat(parts, ignore_index=True).drop_duplicates(["alert", "episode"]).merge(times, on="episode")
    )


def _grouped(streams: pd.DataFrame) -> list[tuple[NDArray[np.bool_], pd.DataFrame]]:
    """Return stream alerts by which columns they say."""
    said = _said(streams)
    kinds = np.unique(said, axis=0)
    return [(kind, streams[(said == kind).all(axis=1)]) for kind in kinds]


def _streams_of_episodes(
    directory: Directory, items: pd.DataFrame, episodes: pd.DataFrame, touched: pd.DataFrame
) -> pd.DataFrame:
    """Return the streams that each episode touches: those of the deliveries it touched.

    Messages to an old address lie at the old address, not at the service that once had it.
    """
    columns = ["key", "sender", "intended", "template", "message", "channel"]
    ends = touched[["episode", "key"]].merge(items[columns].drop_duplicates("key"), on="key")
    ends = ends.rename(columns={"intended": "place"})
    old = {unit.old_address_of: n for n, unit in enumerate(directory.units) if unit.old_address_of >= 0}
    of_old = episodes[episodes["kind"] == "old_address"]
    at = {episode: old[number] for episode, number in of_old["number"].items() if number in old}
    ends["place"] = ends["episode"].map(at).fillna(ends["place"]).astype(np.int64)
    return ends[["episode", *_STREAM]].drop_duplicates()


def _explained(
    streams: pd.DataFrame, rules: Sequence[Rule], items: pd.DataFrame, true: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the stream alerts beside which as many faults as they count lay on their stream."""
    rows = items.rename(columns={"intended": "place"})
    began, ended = rows["began"].to_numpy(), rows["ended"].to_numpy()
    found = []
    guesses = {n: np.isin(rows["fault"], [f.name for f in r.guess]) for n, r in enumerate(rules) if r.guess}
    for said, group in _grouped(streams[~true[streams["alert"].to_numpy(np.int64)]]):
        cached: dict[tuple[Any, ...], NDArray[np.int64]] = {}
        for alert in group.itertuples():
            if alert.rule not in guesses or rules[int(alert.rule)].kind == RuleKind.heartbeat:  # type: ignore[arg-type]
                continue
            stream = (alert.rule, *(getattr(alert, name) for name in _STREAM))
            if stream not in cached:
                cached[stream] = np.flatnonzero(guesses[alert.rule] & _inside(alert, said, rows))  # type: ignore[index]
            there = cached[stream]
            count = int(((began[there] <= alert.raised) & (ended[there] >= alert.since)).sum())
            if count >= max(1.0, _lacks(rules[int(alert.rule)], int(alert.count))):  # type: ignore[arg-type, call-overload]
                found.append(alert.alert)
    return np.array(found, np.int64)


def _lacks(rule: Rule, count: int) -> float:
    """Return how many an alert misses: its count; where that is a volume, what lacks to the usual one."""
    if rule.kind == RuleKind.rate_change and rule.then is None and rule.share > 0:
        return count * (1 - rule.share) / rule.share
    return float(count)
