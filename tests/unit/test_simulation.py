"""The heart: a clock that carries the mail along, roll-outs and outages, and what is told of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from flowsim.kernel import state as k
from flowsim.simulation import Clock, Mail, prepare, simulate
from flowsim.vocabulary import Channel, CommandKind, Event, NoticeKind
from tests.small_worlds import busy_plan, digest, index, log, pathway, plan, read, rows_of

REFER = "- {id: refer, do: send, message: referral, sender: origin, to: referral_intake, reading: 1 min}"


def test_a_run_tells_how_much_happened() -> None:
    blocks: list[np.ndarray[Any, Any]] = []
    info = simulate(busy_plan(days=5), 1, lambda block: blocks.append(block.copy()), block_rows=300)
    rows = np.concatenate(blocks)
    assert info.rows == len(rows) and info.events > 0 and info.seconds > 0.0
    assert info.deliveries == np.sum(rows["event"] == Event.authored)
    assert info.cases == np.sum(rows["event"] == Event.created)
    assert info.stops == 0 and info.warnings == ()
    assert len(blocks) > 3 and all(len(block) <= 300 for block in blocks)


def test_a_run_without_anything_to_do_ends() -> None:
    info = simulate(
        plan(pathway("- {id: over, do: end}", times="900 days")), 1, lambda _: pytest.fail("a row")
    )
    assert (info.rows, info.cases, info.deliveries) == (0, 0, 0)


def test_stops_are_counted_one_for_each_time_the_world_was_told_something() -> None:
    topology = read("bare")
    topology["organisations"][0]["services"][0]["swamped_at"] = 1
    given = plan(
        pathway("- {id: look, do: work, service: referral_intake, minutes: 1 h}", times="0 h, 0.5 h"),
        topology=topology,
    )

    def world(clock: Clock, mail: Mail) -> Iterator[Any]:
        mail.subscribe(NoticeKind.list_swamped)
        yield clock.timeout(0.0)

    assert simulate(given, 1, lambda _: None, [world]).stops == 1  # type: ignore[list-item]


def test_an_error_in_the_world_is_an_error_of_the_run() -> None:
    def world(clock: Clock, mail: Mail) -> Iterator[Any]:
        del mail
        yield clock.timeout(3.0)
        raise RuntimeError("the world ends")

    with pytest.raises(RuntimeError, match="the world ends"):
        rows_of(busy_plan(days=1), [world])  # type: ignore[list-item]


def test_practices_go_live_at_midnight_of_their_dates_and_may_leave_again() -> None:
    """Start on 8 January; all join on the 10th, and only the first stays after the 12th."""
    messages = pathway(REFER, at="gp_office", times="47.9 h, 48 h, 96 h")
    adoption = {
        "gp_practices": "0 %",
        "order": ["practice_1", "practice_2", "practice_3"],
        "go_live": [
            {"on": "2024-01-10", "gp_practices": "100 %"},
            {"on": "2024-01-12", "gp_practices": "1 practice"},
        ],
        "joining": {"stale_share": 0, "stale_lag": "1 day", "old_inbox_read": 0},
    }
    given = plan(messages, adoption=adoption)
    rows = rows_of(given)
    found = [
        (
            float(row["time"]),
            given.header["services"][row["service"]]["organisation"],
            Channel(row["channel"]).name,
        )
        for row in rows[rows["event"] == Event.authored]
    ]
    platform, edi = ("platform",) * 3, ("edi",) * 3
    for time, channels in ((47.9, edi), (48.0, platform), (96.0, ("platform", "edi", "edi"))):
        assert [(o, c) for t, o, c in found if t == time] == list(
            zip(("practice_1", "practice_2", "practice_3"), channels, strict=True)
        )


def test_an_outage_holds_messages_from_its_date_for_its_length() -> None:
    topology = {**read("bare"), "relays": [{"id": "broker", "kind": "broker"}]}
    outage = [{"relay": "broker", "at": "2024-01-08 02:00", "lasts": "3 h"}]
    given = plan(pathway(REFER, times="1.9 h, 2 h, 4.9 h, 5 h"), topology=topology, outages=outage)
    left = [line.split()[0] for line in log(given).splitlines() if "relay_out" in line]
    assert left == ["1.9", "5", "5", "5"]
    assert "relay_in" not in log(
        plan(pathway(REFER, times="2 h"), topology=topology, outages=outage, faults_off=True)
    )


def test_outages_by_chance_come_about_as_often_as_they_should_and_with_their_own_luck() -> None:
    """100 a year for 5 hours: over ten years within four standard errors of 1,000."""
    mail = Mail(busy_plan(days=5), 1, lambda _: None)
    gaps = [-np.log(mail.draw("outage/broker", n)[0]) * 87.6 for n in range(1000)]
    assert abs(np.mean(gaps) - 87.6) < 4 * 87.6 / np.sqrt(1000)
    assert mail.draw("outage/broker", 3) == mail.draw("outage/broker", 3) != mail.draw("outage/platform", 3)


def test_the_luck_of_the_world_hangs_on_name_number_seed_and_replication_alone() -> None:
    first = Mail(busy_plan(days=5), 1, lambda _: None)
    other = [Mail(busy_plan(days=5, seed=2), 1, lambda _: None), Mail(busy_plan(days=5), 2, lambda _: None)]
    draws = {each.draw("audit", n)[0] for each in (first, *other) for n in range(3)}
    assert len(draws) == 9 and all(0.0 < u < 1.0 for u in draws)
    first.advance(50.0)
    assert first.draw("audit", 1)[0] in draws
    u, hours = first.draw("audit", 1, int(first.plan.arrays.setting[0]["redelivery"]))
    assert u in draws and hours > 0.0


def test_state_grows_as_it_must_and_nothing_shows_it() -> None:
    """Thousands of open cases: tokens, cases and the queue outgrow their first size several times."""
    given = plan(
        pathway(
            "- {id: look, do: work, service: radiology, minutes: 1 h, patience: 900 days}",
            times=", ".join(f"{n / 100} h" for n in range(9000)),
        )
    )
    mail = Mail(given, 1, lambda _: None, block_rows=500)
    before = (len(mail.state.token), len(mail.state.case), len(mail.state.queue))
    mail.advance(given.end_hours)
    assert all(
        after > first
        for after, first in zip(
            (len(mail.state.token), len(mail.state.case), len(mail.state.queue)), before, strict=True
        )
    )
    assert mail.state.service["length"].max() == 9000
    assert mail.state.counter[k.CASES] == 9000


def test_more_commands_than_fit_at_once_are_all_obeyed() -> None:
    given = plan(pathway("- {id: over, do: end}"))

    def world(clock: Clock, mail: Mail) -> Iterator[Any]:
        yield clock.timeout(1.0)
        for _ in range(1000):
            mail.command(CommandKind.snapshot, index(given, "hospital/intake"))

    assert np.sum(rows_of(given, [world], block_rows=256)["event"] == Event.snapshot) == 1000  # type: ignore[list-item]


def test_a_world_that_only_watches_changes_nothing() -> None:
    """Waking often, and hearing every notice, stops the mail often; its journal is the same."""
    given = busy_plan(days=8)

    def watching(clock: Clock, mail: Mail) -> Iterator[Any]:
        del mail
        for kind in NoticeKind:
            clock.listen(kind, lambda _: None)
        while True:
            yield clock.timeout(0.37)

    assert digest(rows_of(given, [watching])) == digest(rows_of(given))  # type: ignore[list-item]


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="the plain form is never compiled")
def test_preparing_says_when_it_has_to_compile() -> None:
    prepare()
    said: list[str] = []
    assert prepare(said.append) is False and said == []
