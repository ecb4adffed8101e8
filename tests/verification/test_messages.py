"""Lost tries, lost receipts, resending, audits and defects, each through its own configuration files."""

from __future__ import annotations

import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import simpy
from numpy.typing import NDArray
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent))
from tools import Floats, Rows, agrees, observed, plan_of, replications, rows_of, step_of

from flowsim.plan.layout import DEFECT
from flowsim.simulation import Clock, Mail
from flowsim.vocabulary import CommandKind, Event, Fault, FoundBy, MessageKind, State

FILE = "messages/messages.yaml"
LOSS, RECEIPT_LOSS, TRIES, GAP, LATENCY = 0.2, 0.1, 3, 4.0, 0.25
FAILS = 1.0 - (1.0 - LOSS) * (1.0 - RECEIPT_LOSS)  # a try without a receipt


class Letters(NamedTuple):
    """What became of each message of a run, in the order in which they were written."""

    authored: Floats
    sent: NDArray[np.int64]  # tries
    received: NDArray[np.int64]  # copies that came
    first: Floats  # when the first came; infinite: none
    attempt: NDArray[np.int64]  # which try that was
    receipts: NDArray[np.int64]  # transport receipts
    abandoned: NDArray[np.int64]
    silent: NDArray[np.bool_]  # in a silent state after its last row
    fault: NDArray[np.int64]


def letters(rows: Rows) -> Letters:
    """Return what became of each message; there is one a case, and one family of cases."""
    number = rows["case"] & 0xFFFFFFFF
    size = int(number.max()) + 1
    mine = rows["delivery"] != 0

    def count(event: Event) -> NDArray[np.int64]:
        return np.bincount(number[mine & (rows["event"] == event)], minlength=size)

    authored = np.full(size, np.nan)
    written = rows["event"] == Event.authored
    authored[number[written]] = rows["time"][written]
    assert not np.isnan(authored).any()
    first = np.full(size, np.inf)
    attempt = np.zeros(size, np.int64)
    came = rows[mine & (rows["event"] == Event.received)]
    # Backwards, so that the earliest is written last.
    first[(came["case"] & 0xFFFFFFFF)[::-1]] = came["time"][::-1]
    attempt[(came["case"] & 0xFFFFFFFF)[::-1]] = came["attempt"][::-1]
    state = np.zeros(size, np.int64)
    fault = np.zeros(size, np.int64)
    told = mine & (rows["state"] != State.none)
    state[number[told]] = rows["state"][told]
    fault[number[told]] = rows["fault"][told]
    return Letters(
        authored,
        count(Event.sent),
        count(Event.received),
        first,
        attempt,
        count(Event.transport_receipt),
        count(Event.abandoned),
        state == State.silent,
        fault,
    )


def test_a_message_is_lost_where_all_its_tries_are() -> None:
    """P(lost) = pᴺ; E[tries | delivered] = 1/(1 − p) − N pᴺ/(1 − pᴺ); delay = (K − 1)τ + latency."""
    plan = plan_of(FILE, "loss")

    def figures(rows: Rows) -> tuple[int, int, int, int]:
        of = letters(rows)
        here = of.received > 0
        assert of.received.max() == 1
        assert np.array_equal(of.attempt[here], of.sent[here])
        assert np.all(of.sent[~here] == TRIES)
        assert np.array_equal(of.abandoned, ~here)
        assert np.array_equal(of.silent, ~here)
        assert np.all(of.fault[~here] == Fault.undelivered)
        delay = (of.sent[here] - 1) * GAP + LATENCY
        assert np.allclose(of.first[here] - of.authored[here], delay, rtol=0, atol=1e-9)
        return (~here).sum(), len(here), of.sent[here].sum(), here.sum()

    lost, messages, tries, delivered = replications(plan, 28, figures).T
    agrees(lost, LOSS**TRIES, messages)
    agrees(tries, 1 / (1 - LOSS) - TRIES * LOSS**TRIES / (1 - LOSS**TRIES), delivered)


def test_a_sender_without_receipts_tries_on_and_is_wrong_at_times() -> None:
    """Believes it failed: fᴺ; false alarm: fᴺ − pᴺ; tries (1 − fᴺ)/(1 − f); copies (1 − p) times that."""
    plan = plan_of(FILE, "loss and receipt loss")
    tries = (1 - FAILS**TRIES) / (1 - FAILS)
    believed = FAILS**TRIES
    copies = (1 - LOSS) * tries
    assert (LOSS**TRIES, believed, believed - LOSS**TRIES, tries, copies) == pytest.approx(
        (0.0080, 0.02195, 0.01395, 1.3584, 1.0867), rel=1e-3
    )

    def figures(rows: Rows) -> tuple[int, ...]:
        of = letters(rows)
        lost = of.received == 0
        # The sender hears of each message in the end: one receipt, or that its client gave up.
        assert np.array_equal(of.receipts + of.abandoned, np.ones(len(lost)))
        assert np.array_equal(of.silent, lost)
        assert np.all(of.received <= of.sent)
        alarm = (of.abandoned == 1) & ~lost
        return lost.sum(), of.abandoned.sum(), alarm.sum(), of.sent.sum(), of.received.sum(), len(lost)

    lost, abandoned, alarms, sent, received, messages = replications(plan, 28, figures).T
    agrees(lost, LOSS**TRIES, messages)
    agrees(abandoned, believed, messages)
    agrees(alarms, believed - LOSS**TRIES, messages)
    agrees(sent, tries, messages)
    agrees(received, copies, messages)


def test_of_overlapping_tries_the_first_to_arrive_counts() -> None:
    """P(D ≤ T) = 1 − Π over tries at kτ ≤ T of p + (1 − p)(1 − F(T − kτ)), with latency Exp(6 h)."""
    plan = plan_of(FILE, "timed")

    def theory(limit: float) -> float:
        times = np.arange(TRIES) * GAP
        late = np.exp(-(limit - times[times <= limit]) / 6.0)
        return 1.0 - float(np.prod(LOSS + (1 - LOSS) * late))

    assert theory(10.0) == pytest.approx(0.8658, rel=1e-4)
    limits = (2.0, 5.0, 10.0, 30.0)

    def figures(rows: Rows) -> list[float]:
        of = letters(rows)
        opened = rows[rows["event"] == Event.opened]
        seen = np.full(len(of.first), np.inf)
        seen[opened["case"] & 0xFFFFFFFF] = opened["time"]
        # Later copies are not read again; the message is read with the first, whichever try that was.
        assert np.array_equal(seen, of.first)
        came = rows[(rows["event"] == Event.received) & (rows["attempt"] == 1)]
        latency = came["time"] - of.authored[came["case"] & 0xFFFFFFFF]
        delay = seen - of.authored
        return [*((delay <= limit).sum() for limit in limits), len(delay), latency.sum(), len(latency)]

    *within, messages, latency, came = replications(plan, 12, figures).T
    # The first try takes its own time, even where a later one overtakes it.
    agrees(latency, 6.0, came)
    for limit, found in zip(limits, within, strict=True):
        agrees(found, theory(limit), messages)


@pytest.mark.parametrize(("scenario", "tries"), [
    ("dropped, one try", 1), ("dropped, three tries", 3), ("dropped, eight tries", 8)
])  # fmt: skip
def test_what_is_dropped_after_a_receipt_is_lost_whatever_is_resent(scenario: str, tries: int) -> None:
    """Silent loss behind a positive receipt is (1 − pᴺ)s: more tries bring more of it, not less."""
    plan = plan_of(FILE, scenario)

    def figures(rows: Rows) -> tuple[int, int]:
        of = letters(rows)
        dropped = of.silent & (of.fault == Fault.unwatched)
        assert np.all(of.receipts[dropped] == 1)
        assert not np.any(of.abandoned[dropped])
        return dropped.sum(), len(dropped)

    dropped, messages = replications(plan, 12, figures).T
    agrees(dropped, (1 - LOSS**tries) * 0.3, messages)


def test_an_audit_finds_after_whole_rounds_and_a_part() -> None:
    """Every D, random phase, each look with chance d: mean D(1/d − 1/2), variance D²/12 + D²(1 − d)/d²."""
    plan = plan_of(FILE, "audit")
    every, chance = 24.0, 0.6
    mean = every * (1 / chance - 0.5)
    variance = every**2 / 12 + every**2 * (1 - chance) / chance**2
    assert (mean, variance) == pytest.approx((28.0, 688.0))

    def figures(rows: Rows) -> tuple[float, float, int]:
        dropped = rows[(rows["event"] == Event.listed) & (rows["fault"] == Fault.unwatched)]
        found = rows[rows["event"] == Event.found]
        assert np.all(found["attempt"] == FoundBy.audit)
        dropped, found = dropped[np.argsort(dropped["case"])], found[np.argsort(found["case"])]
        assert np.array_equal(dropped["case"], found["case"])
        delay = found["time"] - dropped["time"]
        return delay.sum(), ((delay - mean) ** 2).sum(), len(delay)

    delay, square, messages = replications(plan, 12, figures).T
    agrees(delay, mean, messages)
    agrees(square, variance, messages)


def test_independent_loss_thins_a_stream() -> None:
    """Lost ~ Poisson(λpt), delivered ~ Poisson(λ(1 − p)t), and the two know nothing of each other."""
    plan = plan_of(FILE, "thinning")
    hours = plan.header["observe_hours"]
    expected = {"lost": 20.0 * LOSS, "delivered": 20.0 * (1 - LOSS)}

    def figures(rows: Rows) -> list[float]:
        of = letters(rows)
        hour = of.authored[observed(plan, of.authored)].astype(int)
        lost = (of.received == 0)[: len(hour)]
        counts = {
            "lost": np.bincount(hour[lost], minlength=int(hours)),
            "delivered": np.bincount(hour[~lost], minlength=int(hours)),
        }
        off = {name: counts[name] - expected[name] for name in counts}
        return [
            counts["lost"].mean(),
            counts["delivered"].mean(),
            (off["lost"] ** 2).mean(),
            (off["delivered"] ** 2).mean(),
            (off["lost"] * off["delivered"]).mean(),
            (counts["lost"] <= 2).mean(),
        ]

    lost, delivered, lost_square, delivered_square, product, few = replications(plan, 16, figures).T
    agrees(lost, expected["lost"])
    agrees(delivered, expected["delivered"])
    agrees(lost_square, expected["lost"])
    agrees(delivered_square, expected["delivered"])
    agrees(product, 0.0, scale=float(np.sqrt(expected["lost"] * expected["delivered"])))
    agrees(few, float(stats.poisson.cdf(2, expected["lost"])))


def test_a_silent_defect_loses_what_its_class_sends_until_it_is_found() -> None:
    """A defect on a class of rate λ, found after T, loses λT in the mean, with the variance of Poisson."""
    begins, lasts, rate = 10.0, 40.0, 20.0
    kind = MessageKind.dialogue_request
    defect = np.array([(77, 1.0, 1.0, Fault.not_emitted, 1 << kind, -1, -1, -1, -1, -1)], DEFECT)
    whole = plan_of("messages/defect.yaml")
    plan = replace(whole, arrays=whole.arrays._replace(defect=defect))
    ask = step_of(plan, "ask")

    def live(clock: Clock, mail: Mail) -> Generator[simpy.Event, Any, None]:
        yield clock.timeout(begins)
        mail.command(CommandKind.activate_defect, 0)
        yield clock.timeout(lasts)
        mail.command(CommandKind.mend_defect, 0, 0)

    lost = []
    for replication in range(1, 21):
        rows = rows_of(plan, replication, [live])
        silent = rows[rows["state"] == State.silent]
        assert np.all((silent["event"] == Event.authored) & (silent["step"] == ask) & (silent["defect"] == 0))
        assert silent["time"].min() >= begins
        assert silent["time"].max() < begins + lasts
        authored = rows[(rows["event"] == Event.authored) & (rows["step"] == ask)]
        assert len(silent) == ((authored["time"] >= begins) & (authored["time"] < begins + lasts)).sum()
        seen = rows[rows["event"] == Event.opened]
        assert len(seen) + len(silent) == (rows["event"] == Event.authored).sum()
        lost.append(len(silent))
    agrees(lost, rate * lasts)
