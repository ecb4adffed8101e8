"""Which rows fit a rule, and by what they are told apart: on whole columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.monitor.rules import IN_SENDERS_LOG, SOURCE_OF, Pattern, Rule, SourceSetting
from flowsim.observe.directory import Directory
from flowsim.vocabulary import Channel, Source

Rows = NDArray[Any]
Flags = NDArray[np.bool_]


class Matcher:
    """A pattern as look-up tables; an empty set of the pattern takes everything."""

    def __init__(self, pattern: Pattern, directory: Directory) -> None:
        """Turn the sets of a pattern into tables by number; the last place of a table is for -1."""
        self.seen = sorted(int(each) for each in pattern.seen)
        self._tables: list[tuple[str, Flags]] = []
        units = directory.units
        for column, wanted, size in (
            ("message", pattern.messages, 256),
            ("channel", pattern.channels, 256),
            ("urgency", pattern.urgencies, 256),
            ("template", pattern.templates, len(directory.templates) + 1),
            ("unit", pattern.units, len(units) + 1),
        ):
            if wanted:
                table = np.zeros(size, np.bool_)
                table[[int(each) for each in wanted]] = True
                self._tables.append((column, table))
        for column, parties in (("sender", pattern.sender_parties), ("receiver", pattern.receiver_parties)):
            if parties:
                self._tables.append((column, np.array([*(u.party in parties for u in units), False])))
        if pattern.unit_kinds:
            kinds = np.array([*(u.kind in pattern.unit_kinds for u in units), False])
            self._tables.append(("unit", kinds))

    def places(self, rows: Rows, by_seen: dict[int, NDArray[np.int64]]) -> NDArray[np.int64]:
        """Return the places of the rows that fit, in order."""
        parts = [by_seen[each] for each in self.seen if each in by_seen]
        if not parts:
            return np.zeros(0, np.int64)
        places = parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts))
        for column, table in self._tables:
            places = places[table[rows[column][places]]]
        return places

    def fits(self, columns: Mapping[str, NDArray[np.int64]]) -> Flags:
        """Return which messages fit, by the columns that are given; no other part of the pattern is asked."""
        fine = np.ones(len(next(iter(columns.values()))), np.bool_)
        for column, table in self._tables:
            if column in columns:
                fine &= table[columns[column]]
        return fine


def keys_of(rows: Rows, places: NDArray[np.int64], by: tuple[str, ...]) -> NDArray[np.int64]:
    """Return a number for each row by which a rule tells obligations or streams apart; 0: it has none."""
    if by == ("key",):
        own: NDArray[np.int64] = rows["key"][places]
        return own
    columns = {name: rows[name][places] for name in by}
    z = np.zeros(len(places), np.uint64)
    for column in by:
        z = (z ^ columns[column].astype(np.int64).view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(32)
    keys: NDArray[np.int64] = np.maximum(z >> np.uint64(1), 1).astype(np.int64)
    for column in ("key", "subject"):
        if column in by:
            keys[columns[column] == 0] = 0
    return keys


class Claims:
    """Which rows a rule may wait for: those that the logs of its answer claim to have, with ids."""

    def __init__(self, rule: Rule, directory: Directory, sources: dict[Source, SourceSetting]) -> None:
        """Collect what the sources of the rule's answer claim."""
        self._tests: list[tuple[str, Flags, bool]] = []
        if rule.then is None:
            return
        needs_id = "key" in rule.by
        size = len(directory.units) + 1
        for seen in sorted(rule.then.seen):
            source = SOURCE_OF[seen]
            setting = sources[source]
            column = "sender" if seen in IN_SENDERS_LOG else "receiver"
            if setting.units:
                self._tests.append((column, _table(size, setting.units), False))
            if needs_id and setting.without_ids:
                self._tests.append((column, ~_table(size, setting.without_ids), True))

    def keep(self, rows: Rows, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of the rows that an answer can be expected for."""
        for column, table, only_edi in self._tests:
            fine = table[rows[column][places]]
            if only_edi:
                fine |= rows["channel"][places] != Channel.edi
            places = places[fine]
        return places


def _table(size: int, units: frozenset[int]) -> Flags:
    table = np.zeros(size, np.bool_)
    table[sorted(units)] = True
    return table
