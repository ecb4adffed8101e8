"""What incidents say does not depend on how alerts come in, a restart changes nothing, counts never fall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.monitor.incidents import Incidents
from flowsim.monitor.records import Incident
from flowsim.monitor.store import Store
from flowsim.vocabulary import IncidentState, Level, Verdict
from tests.alerts import COUNT, DIRECTORY, EMISSION, OPENED_ROUTINE, ROUTING, RULES, alert, alerts

SENT = st.builds(
    dict,
    rule=st.sampled_from([EMISSION, OPENED_ROUTINE, COUNT]),
    key=st.sampled_from([0, 1, 2, 3]),
    subject=st.sampled_from([0, 7, 8]),
    raised=st.integers(1, 20).map(lambda n: 30.1 * n),
    ago=st.sampled_from([2.0, 30.1, 60.2]),
    template=st.integers(0, 1),
    count=st.integers(1, 9),
    level=st.sampled_from(list(Level)),
    urgency=st.integers(0, 3),
    verdict=st.sampled_from([Verdict.violated] * 4 + [Verdict.inconclusive]),
    after=st.sampled_from([math.inf, 0.0, 1.0, 100.0]),
)
#: When somebody says something of which incident (by its place in the list), and what.
SAID = st.lists(
    st.tuples(
        st.integers(0, 20).map(lambda n: 30.1 * n), st.integers(0, 5), st.sampled_from(list(IncidentState))
    ),
    max_size=4,
).map(sorted)


def news(given_: Sequence[dict[str, Any]]) -> list[tuple[float, Any]]:
    """Return what an engine would hand out, in order of time: alerts, and those that recovered since."""
    found = []
    for each in given_:
        values = {name: value for name, value in each.items() if name not in ("ago", "after")}
        values["since"] = each["raised"] - each["ago"]
        found.append((each["raised"], alert(**values)))
        if math.isfinite(each["after"]):
            recovered = each["raised"] + each["after"]
            fewer = {**values, "count": max(each["count"] - 3, 1)}
            found.append((recovered, alert(**fewer, recovered=recovered)))
    return sorted(found, key=lambda pair: pair[0])


def fed(
    incidents: Incidents,
    told: Sequence[tuple[float, Any]],
    said: Sequence[Any],
    cuts: Sequence[int],
    backwards: bool = False,
) -> list[list[Incident]]:
    """Hand in alerts in pieces that end at the cuts and at what people say; return all after each piece.

    Each piece in order of time, or ``backwards``.
    """
    steps: list[tuple[float, int, Any]] = [(at, 0, row) for at, row in told]
    steps += [(at + 0.5, 1, what) for at, *what in said]
    steps.sort(key=lambda step: step[:2])
    seen, waiting = [], []
    for number, (at, kind, what) in enumerate(steps):
        if kind == 0:
            waiting.insert(0 if backwards else len(waiting), what)
        if kind == 1 or number in cuts:
            incidents.take(alerts(*waiting))
            waiting = []
            seen.append(incidents.all())
        if kind == 1 and incidents.all():
            place, state = what
            in_order = sorted(incidents.all(), key=lambda each: each.id)
            incidents.set_state(in_order[place % len(in_order)].id, state, at)
    incidents.take(alerts(*waiting), now=told[-1][0] + 4.5 if told else 0.0)
    return [*seen, incidents.all()]


def fresh(store: Store | None = None) -> Incidents:
    return Incidents(DIRECTORY, RULES, replace(ROUTING, reopen_within=60.0), store)


CUTS = st.sets(st.integers(0, 60), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(SENT, max_size=25), SAID, CUTS)
def test_incidents_do_not_depend_on_how_alerts_are_split_over_calls(
    given_: list[dict[str, Any]], said: list[Any], cuts: set[int]
) -> None:
    told = news(given_)
    whole, pieces = fresh(), fresh()
    assert fed(pieces, told, said, sorted(cuts), backwards=True)[-1] == fed(whole, told, said, [])[-1]
    assert pieces.inconclusive == whole.inconclusive


@settings(max_examples=100, deadline=None)
@given(st.lists(SENT, max_size=25), SAID, CUTS)
def test_counts_never_fall_and_nothing_that_was_raised_is_gone(
    given_: list[dict[str, Any]], said: list[Any], cuts: set[int]
) -> None:
    seen = fed(fresh(), news(given_), said, sorted(cuts))
    for before, after in pairwise(seen):
        now = {each.id: each for each in after}
        for each in before:
            assert now[each.id].count >= each.count
            assert now[each.id].recovered <= now[each.id].count
            assert now[each.id].level >= each.level and now[each.id].severity <= each.severity
            assert now[each.id].first_since <= each.first_since and now[each.id].last >= each.last


@settings(max_examples=40, deadline=None)
@given(st.lists(SENT, max_size=15), SAID, st.integers(0, 40))
def test_a_restart_in_the_middle_changes_nothing(
    given_: list[dict[str, Any]], said: list[Any], cut: int
) -> None:
    told = news(given_)
    cut = min(cut, len(told))
    at = told[cut][0] if cut < len(told) else math.inf
    early, late = [s for s in said if s[0] + 0.5 < at], [s for s in said if s[0] + 0.5 >= at]
    before, after = told[:cut], told[cut:]
    kept = fresh()
    fed(kept, before, early, [])
    fed(kept, after, late, [])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        with closing(Store(path)) as store:
            fed(fresh(store), before, early, [])
        with closing(Store(path)) as store:
            restarted = fresh(store)
            fed(restarted, after, late, [])
    assert restarted.all() == kept.all()
