"""Files on logs, what becomes of them in numbers, and each way in which logs are not perfect."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowsim.catalogue import catalogue_path, names
from flowsim.config.kinds import kind_of
from flowsim.config.loading import load, load_yaml
from flowsim.config.logs_file import LogsFile
from flowsim.errors import FaultsInFile
from flowsim.experiment.checks import check_file
from flowsim.experiment.logs import catalogue_logs, logs_of, only, source_settings
from flowsim.journal import RunHeader
from flowsim.observe import Logs, directory_of, observe
from flowsim.observe.logs import SourceLog, claims
from flowsim.vocabulary import Certainty, Channel, Party, Seen, Source
from tests.small_worlds import busy_plan, digest, rows_of

Rows = np.ndarray[Any, Any]
SEEN_IN = {
    Source.orders: {Seen.ordered, Seen.order_ended},
    Source.sent_log: {Seen.sent},
    Source.transport_receipts: {Seen.transport_receipt, Seen.transport_failed},
    Source.application_receipts: {Seen.application_receipt, Seen.application_rejected},
    Source.received_log: {Seen.received},
    Source.list_snapshots: {Seen.on_list, Seen.snapshot_taken},
    Source.handling: {Seen.accepted, Seen.opened, Seen.closed, Seen.followed_up},
    Source.notices: {Seen.wrong_delivery},
    Source.care_starts: {Seen.care_started},
    Source.activity: {Seen.activity},
}


@cache
def run() -> tuple[RunHeader, Rows]:
    """Return the journal of a small region in which every fault strikes."""
    plan = busy_plan(level="34 %", days=40)
    return RunHeader.from_dict(plan.header), rows_of(plan)


def observations(logs: Logs) -> Rows:
    header, rows = run()
    return np.concatenate(list(observe([rows], header, logs)))


@cache
def perfect() -> Rows:
    return observations(logs_of(catalogue_logs("logs_perfect")))


@cache
def imperfect() -> Rows:
    return observations(logs_of(catalogue_logs()))


def of(rows: Rows, *what: Seen) -> Rows:
    return rows[np.isin(rows["seen"], what)]


# --- files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["logs_perfect", "logs_imperfect"])
def test_the_catalogue_has_logs_that_are_known_as_such(name: str) -> None:
    assert name in names("logs")
    path = catalogue_path("logs", name)
    assert kind_of(load_yaml(path)) == "logs"
    assert check_file(path).summary.startswith("logs")


def test_the_default_is_imperfect_and_assumed_with_ranges() -> None:
    file = catalogue_logs()
    assert file.basis.certainty == Certainty.assumed
    assert set(file.logs) == set(Source.__members__)
    shares = [file.ids_lost, file.never_sent.share, file.auto_closed.share, file.opened_only]
    for share in [*shares, *(log.late for log in file.logs.values())]:
        assert share.value > 0
        assert share.range is not None


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("logs: {ordres: {}}", 3, "orders"),
        ("logs: {orders: {latest: 4 h, lateness: 2 h}}", 3, "lateness"),
        ("logs: {orders: {earliest: 4 h, latest: 2 h, lateness: 4 h}}", 3, "earliest"),
        ("logs: {orders: {heartbeat: 4 h, silent_after: 3 h}}", 3, "silent_after"),
        ("logs: {orders: {kept_by: [gps]}}", 3, "practices_on_platform"),
        ("logs: {orders: {delay: 3 h}}", 3, "delay"),
        ("logs: {}\nclock_offset: {value: 3 h, range: [1 h, 2 h]}", 4, "range"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    file = tmp_path / "logs.yaml"
    file.write_text(
        f"basis: {{source: Invented., certainty: assumed}}\nsnapshots_every: 24 h\n{text}\n", encoding="utf-8"
    )
    with pytest.raises(FaultsInFile) as caught:
        load(file, LogsFile)
    assert f"logs.yaml:{line}" in str(caught.value)
    assert told in str(caught.value)


def test_what_a_monitor_is_told() -> None:
    directory = directory_of(run()[0])
    logs = logs_of(catalogue_logs())
    told = source_settings(logs, directory)
    assert set(told) == set(Source)
    assert told[Source.handling].lateness == 3.0
    assert told[Source.handling].silent_after == 12.0
    parties = {directory.units[unit].party for unit in told[Source.handling].units}
    assert parties == {Party.hospital, Party.municipality}, "no practice is on the platform"
    assert Party.gp in {directory.units[unit].party for unit in told[Source.transport_receipts].units}
    inboxes = frozenset(
        n
        for n, unit in enumerate(directory.units)
        if unit.id.startswith("practice_") and unit.id.endswith("inbox")
    )
    joined = source_settings(logs_of(catalogue_logs(), inboxes), directory)
    assert inboxes & joined[Source.handling].units


def test_a_perfect_monitor_is_told_that_all_have_everything() -> None:
    directory = directory_of(run()[0])
    for setting in source_settings(logs_of(catalogue_logs("logs_perfect")), directory).values():
        assert (setting.lateness, setting.silent_after) == (0.0, float("inf"))
        assert setting.units == setting.without_ids == frozenset()


def test_a_source_that_is_off_or_that_nobody_keeps_is_not_told_of() -> None:
    directory = directory_of(run()[0])
    logs = only(Logs(), frozenset([Source.orders, Source.sent_log]))
    assert set(source_settings(logs, directory)) == {Source.orders, Source.sent_log}
    nobody = Logs({Source.orders: SourceLog(parties=frozenset())})
    assert source_settings(nobody, directory) == {}


# --- switches ---------------------------------------------------------------------------------------------


def test_perfect_logs_hold_everything_that_can_be_seen() -> None:
    assert set(perfect()["seen"]) == set(Seen) - {Seen.heartbeat}
    assert (perfect()["received"] == perfect()["time"]).all()


@pytest.mark.parametrize("source", list(Source))
def test_a_switch_takes_the_rows_of_its_source_and_no_others(source: Source) -> None:
    rest = observations(only(Logs(), frozenset(Source) - {source}))
    assert set(perfect()["seen"][perfect()["source"] == source]) == SEEN_IN[source]
    expected = perfect()[perfect()["source"] != source]
    assert rest.tolist() == expected.tolist()


# --- imperfections ----------------------------------------------------------------------------------------


def test_most_rows_come_within_the_lateness_and_some_later() -> None:
    for source, log in logs_of(catalogue_logs()).sources.items():
        mine = imperfect()[imperfect()["source"] == source]
        # Clocks that differ are not what makes rows late.
        delay = mine["received"] - mine["time"]
        assert (delay > log.low - 0.06).all()
        assert (delay <= log.high + log.late_by + 0.06).all()
        if len(mine) > 1000:
            late = float((delay > log.lateness + 0.06).mean())
            assert 0 < late < 3 * log.late_share
    assert (np.diff(imperfect()["received"]) >= 0).all(), "the monitor gets them in this order"


def test_units_left_out_of_an_export_are_the_ones_that_it_does_not_claim() -> None:
    logs = Logs({source: SourceLog(missing=0.3) for source in Source}, snapshot_every=24.0)
    table = claims(logs, directory_of(run()[0]))
    found = observations(logs)
    assert 0 < len(found) < len(perfect())
    assert table[found["source"], found["unit"]].all()
    gone = ~table[perfect()["source"], perfect()["unit"]]
    assert gone.sum() == len(perfect()) - len(found)
    assert not (table[Source.sent_log] == table[Source.handling]).all(), "each export leaves out its own"


def test_a_practice_outside_the_platform_keeps_no_order_log_nor_list() -> None:
    directory = directory_of(run()[0])
    party = np.array([unit.party for unit in directory.units] + [Party.other])
    own = of(imperfect(), Seen.ordered, Seen.sent, Seen.on_list, Seen.opened, Seen.received)
    assert set(party[own["unit"]]) == {Party.hospital, Party.municipality}
    receipts = of(imperfect(), Seen.transport_receipt)
    assert Party.gp in set(party[receipts["unit"]])
    assert set(receipts["channel"]) == {Channel.edi}


def test_clocks_differ_by_unit_and_by_a_few_minutes() -> None:
    logs = Logs(clock=0.05)
    found = observations(logs)
    assert len(found) == len(perfect())
    offset = found["time"] - found["received"]
    assert 0.02 < float(np.abs(offset).max()) <= 0.05
    for unit in np.unique(found["unit"]):
        own = offset[(found["unit"] == unit) & (found["seen"] != Seen.activity)]
        assert np.ptp(own) < 1e-9
    assert (offset[found["seen"] == Seen.activity] == 0).all(), "a report says for itself which day it is of"


def test_ids_are_lost_at_the_receiver_of_e_messages_through_the_gateway() -> None:
    found = observations(Logs(ids_lost=1.0))
    lost = found["key"] == 0
    named = ~np.isin(found["seen"], [Seen.care_started, Seen.activity, Seen.snapshot_taken])
    assert set(found["seen"][lost & named]) == {
        Seen.received, Seen.accepted, Seen.on_list, Seen.opened, Seen.closed,
    }  # fmt: skip
    assert set(found["channel"][lost & named]) == {Channel.edi}
    sender_side = of(found, Seen.ordered, Seen.sent, Seen.transport_receipt, Seen.application_receipt)
    assert (sender_side["key"] != 0).all()
    some = observations(Logs(ids_lost=0.4))
    units = set(some["unit"][(some["key"] == 0) & (some["seen"] == Seen.received)])
    assert units
    assert units < set(found["unit"][lost & (found["seen"] == Seen.received)])


def test_some_orders_are_never_sent_and_some_of_them_are_ended() -> None:
    found = observations(Logs(unsent=0.2, unsent_ended=0.5, ended_within=10.0))
    known = set(of(perfect(), Seen.ordered)["key"].tolist())
    more = of(found, Seen.ordered)[~np.isin(of(found, Seen.ordered)["key"], list(known))]
    assert len(more) == pytest.approx(0.2 * len(known), rel=0.3)
    assert not np.isin(of(found, Seen.sent)["key"], more["key"]).any()
    ended = of(found, Seen.order_ended)
    ended = ended[np.isin(ended["key"], more["key"])]
    assert len(ended) == pytest.approx(0.5 * len(more), rel=0.3)
    ordered_at = dict(zip(more["key"].tolist(), more["time"].tolist(), strict=True))
    waits = [o["time"] - ordered_at[int(o["key"])] for o in ended]
    assert 0 < min(waits) < max(waits) <= 10.0
    rest = found[~np.isin(found["key"], more["key"])]
    assert rest.tolist() == perfect().tolist(), "nothing else changes"


def test_items_that_close_themselves_leave_the_list_with_a_closing_row() -> None:
    found = observations(Logs(auto_closed=1.0, auto_closed_after=48.0))
    more = of(found, Seen.closed)
    assert len(more) > len(of(perfect(), Seen.closed))
    accepted = of(found, Seen.accepted)
    last = {(int(o["key"]), int(o["unit"])): float(o["time"]) for o in accepted}
    for item in of(found, Seen.on_list):
        assert item["time"] - last[int(item["key"]), int(item["unit"])] < 48.0
    once = more[np.mod(more["time"], 24.0) == 0.0]
    assert len(once) > 0
    assert not set(zip(once["key"].tolist(), once["unit"].tolist(), strict=True)) - set(last)


def test_some_items_are_opened_and_still_lie_there() -> None:
    found = observations(Logs(opened_only=1.0))
    more = of(found, Seen.opened)
    assert len(more) > len(of(perfect(), Seen.opened))
    assert of(found, Seen.on_list).tolist() == of(perfect(), Seen.on_list).tolist()
    early = more[np.mod(more["time"], 24.0) == 0.0]
    assert np.isin(early["key"], of(found, Seen.on_list)["key"]).all()


def test_luck_is_the_files_seed_and_nothing_else() -> None:
    logs = logs_of(catalogue_logs())
    assert digest(observations(logs)) == digest(imperfect())
    other = observations(replace(logs, seed=logs.seed + 1))
    assert digest(other) != digest(imperfect())
