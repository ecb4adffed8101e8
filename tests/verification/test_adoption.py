"""Which messages stay on the platform, and which cross its boundary, where senders and receivers mix."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tools import Rows, agrees, plan_of, replications, rows_of, service_of, step_of

from flowsim.vocabulary import Channel, Event

SHARES = {"few": (0.25, 0.2), "half": (0.5, 0.5), "most": (0.75, 0.8)}


def crossing(a: float, b: float) -> float:
    """Return the share of messages with just one end on the platform."""
    return a * (1 - b) + b * (1 - a)


@pytest.mark.parametrize("scenario", SHARES)
def test_random_mixing_decides_the_channel_and_the_boundary(scenario: str) -> None:
    """Both ends on the platform: ab; the gateway is crossed by a(1 − b) + b(1 − a)."""
    a, b = SHARES[scenario]
    plan = plan_of("adoption/adoption.yaml", scenario)
    step, gateway = step_of(plan, "note"), service_of(plan, "gateway")

    def figures(rows: Rows) -> tuple[int, int, int]:
        mine = rows[rows["step"] == step]
        opened = mine[mine["event"] == Event.opened]
        passed = mine[(mine["event"] == Event.relay_out) & (mine["service"] == gateway)]
        assert len(np.unique(passed["case"])) == len(passed)
        assert set(opened["channel"]) == {Channel.platform, Channel.edi}
        assert np.all(passed["channel"] == Channel.edi)
        return (opened["channel"] == Channel.platform).sum(), len(passed), len(opened)

    platform, passed, messages = replications(plan, 16, figures).T
    agrees(platform, a * b, messages)
    agrees(passed, crossing(a, b), messages)


def test_half_and_half_crosses_the_boundary_most() -> None:
    """Of all equal shares a = b, one half has the most messages with one end inside; none at 0 and 1."""
    shares = np.linspace(0, 1, 101)
    assert shares[np.argmax(crossing(shares, shares))] == 0.5  # type: ignore[arg-type]
    found = {}
    for scenario in SHARES:
        plan = plan_of("adoption/adoption.yaml", scenario)
        rows = rows_of(plan, 1)
        passed = (rows["service"] == service_of(plan, "gateway")) & (rows["step"] == step_of(plan, "note"))
        found[scenario] = passed.sum()
    assert found["half"] > max(found["few"], found["most"])


@pytest.mark.parametrize("scenario", SHARES)
def test_to_a_hospital_that_is_always_on_the_platform_goes_the_share_of_those_who_joined(
    scenario: str,
) -> None:
    """Referrals on the platform: the practices' share; every other one crosses the gateway."""
    share = SHARES[scenario][1]
    plan = plan_of("adoption/adoption.yaml", scenario)
    step, gateway = step_of(plan, "refer"), service_of(plan, "gateway")

    def figures(rows: Rows) -> tuple[int, int]:
        opened = rows[(rows["step"] == step) & (rows["event"] == Event.opened)]
        passed = rows[(rows["step"] == step) & (rows["service"] == gateway)]
        platform = (opened["channel"] == Channel.platform).sum()
        assert len(passed) == len(opened) - platform
        return platform, len(opened)

    platform, messages = replications(plan, 16, figures).T
    agrees(platform, share, messages)


def bass(years: np.ndarray, p: float, q: float) -> np.ndarray:
    """Return the share that has joined by a time: F(t) = (1 - e^-(p+q)t) / (1 + (q/p) e^-(p+q)t)."""
    gone = np.exp(-(p + q) * years)
    return (1 - gone) / (1 + q / p * gone)


def test_practices_join_along_the_curve_of_bass_and_fastest_at_its_peak() -> None:
    """Who has joined by a time is the curve to one practice; joining is fastest at ln(q/p)/(p+q)."""
    p, q = 2.0, 40.0  # a year: a roll-out within weeks
    plan = plan_of("adoption/diffusion.yaml")
    years = np.array([life.at_hours for life in plan.world.go_lives if not life.before]) / 8760.0
    practices = 200
    assert len(years) == practices
    joined = np.arange(1, practices + 1) / practices
    assert np.max(np.abs(joined - bass(years, p, q))) <= 1 / practices
    fastest = years[np.argmin(np.diff(years))]
    assert abs(fastest - np.log(q / p) / (p + q)) < 3 / practices / q * np.log(q / p)


def test_a_practice_sends_on_the_platform_from_its_own_go_live_on() -> None:
    """The journal shows each practice's change of channel at its place on the curve."""
    plan = plan_of("adoption/diffusion.yaml")
    rows = rows_of(plan, 1)
    sent = rows[(rows["step"] == step_of(plan, "refer")) & (rows["event"] == Event.sent)]
    live = {life.services[0]: life.at_hours for life in plan.world.go_lives if not life.before}
    joined_at = np.array([live[int(service)] for service in sent["service"]])
    on_platform = sent["channel"] == Channel.platform
    assert np.array_equal(on_platform, sent["time"] >= joined_at)
    assert 0 < on_platform.sum() < len(sent)
