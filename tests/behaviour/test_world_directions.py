"""Which way roll-out, testing, escalation and levers go, with the same luck on both sides.

Each world is a month or a few of one message that goes from practices to hospital, so that more of a
measure can only help: where a case sends several messages, those that one measure brings on can be lost
for another reason.
"""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.plan import Plan
from flowsim.vocabulary import Event, Fault, State
from tests.small_worlds import Rows, index, pathway, plan, read, rows_of

BASIS = {"source": "Invented for tests.", "certainty": "assumed"}
FEW = settings(max_examples=15)
DAYS = 150
seeds = st.integers(1, 10_000)
chances = st.floats(0.0, 1.0)

SEND = "- {id: refer, do: send, message: referral, sender: origin, to: referral_intake, reading: 15 min}"
NONE = {"stale_share": 0, "stale_lag": "1 h", "old_inbox_read": 0}
#: All three practices go live on the sixth day, and so does the town.
GO_LIVE = {
    "organisations": ["hospital"],
    "go_live": [{"on": "2024-01-13", "gp_practices": "100 %", "organisations": ["town"]}],
    "joining": NONE,
}


def referrals(per_year: float = 900.0) -> Any:
    """Return a pathway in which a practice sends one message, so often a year in all."""
    given = pathway(SEND)
    return {
        **given,
        "starts": {
            "at": "gp_office",
            "arrivals": {"per_year": per_year, "per": "share"},
            "urgency": {"urgent": 0.5, "routine": 0.5},
        },
    }


def faults(**more: Any) -> Any:
    """Return a faults file in which only defects strike, and what they hit can be found."""
    ways = ["patient_calls", "referrer_chases", "reconciliation"]
    hit = {"rate": 0, "channels": ["platform", "edi"], "found_by": ways}
    found = {
        "patient_calls": {"chance": 0.4, "delay": {"kind": "exponential", "mean": "20 days"}},
        "referrer_chases": {"chance": 0.2, "delay": {"kind": "exponential", "mean": "10 days"}},
    }
    return {
        **read("faults_none"),
        "faults": {"not_emitted": hit, "unwatched": {**hit, "found_by": ways[:2]}},
        "found_by": found,
        **more,
    }


def defects(**more: Any) -> Any:
    """Return defects that practices' go-lives bring, lifted over two owners, and mended."""
    latent = {"at": "gp", "messages": ["referral"], "number": 1.5, "reach": [0.2, 0.8], "visible": 0.9}
    level = {
        "takes": {"kind": "exponential", "mean": "20 h"}, "accepts": 0.5,
        "again_after": {"kind": "exponential", "mean": "30 h"},
    }  # fmt: skip
    levels = [{"id": name, "owner": owner, **level} for name, owner in (("unit", "a"), ("region", "b"))]
    crossing = {"kind": "exponential", "mean": "40 h"}
    return {
        "basis": BASIS,
        "latent": [{"id": "silent", "fault": "not_emitted", **latent}],
        "noticing": {"reports": [1, 4]},
        "escalation": {"levels": levels, "crossing": crossing},
        "mending": {"takes": {"kind": "exponential", "mean": "4 days"}, "resend": False},
        **more,
    }


def lever(**acts: float) -> Any:
    """Return a levers file with one lever, ``it``, at full strength from the start: fault__late=0.0."""
    told = [
        {"on": name.split("__")[0], "full": full, "what": "__".join(name.split("__")[1:])}
        for name, full in acts.items()
    ]
    full = {"reach": 1.0, "adherence": 1.0, "effect": 1.0}
    return {"basis": BASIS, "levers": {"it": {"label": "It", "acts": told, "start_up": "0 h", **full}}}


def world(seed: int, **more: Any) -> Plan:
    """Return the plan of such a world; more settings replace those here."""
    given = {
        "topology": "bare", "faults": faults(), "defects": defects(), "adoption": GO_LIVE, "days": DAYS,
        "view": "transition", **more,
    }  # fmt: skip
    return plan(referrals(), seed=seed, **given)


def lost(rows: Rows) -> set[tuple[int, int]]:
    """Return the deliveries that are in a silent state at the end."""
    about = rows[(rows["delivery"] != 0) & (rows["state"] != State.none)]
    last = dict(zip(zip(about["case"].tolist(), about["delivery"].tolist()), about["state"].tolist()))  # noqa: B905
    return {delivery for delivery, state in last.items() if state == State.silent}


def when(given: Plan, rows: Rows, event: Event) -> dict[str, float]:
    """Return when something happened to each defect; never is infinity."""
    happened = {int(r["defect"]): float(r["time"]) for r in rows[rows["event"] == event]}
    return {d["id"]: happened.get(k, math.inf) for k, d in enumerate(given.header["defects"])}


def no_later(one: dict[str, float], other: dict[str, float]) -> bool:
    """Return whether everything in one happened no later than in the other, and both have the same."""
    assert one.keys() == other.keys()
    return all(at <= other[name] + 1e-9 for name, at in one.items())


@FEW
@given(seed=seeds, less=chances, more=chances)
def test_more_testing_lets_no_other_defect_through_and_loses_no_more(
    seed: int, less: float, more: float
) -> None:
    less, more = sorted((less, more))
    settings_of = [defects(testing={"coverage": share}, mending=None) for share in (less, more)]
    few, many = (world(seed, defects=own) for own in settings_of)
    rows, fewer = rows_of(few), rows_of(many)
    began = [{k for k, at in when(p, r, Event.defect_began).items() if at < math.inf}
             for p, r in ((few, rows), (many, fewer))]  # fmt: skip
    assert began[1] <= began[0]
    assert lost(fewer) <= lost(rows)


@FEW
@given(seed=seeds, factor=chances)
def test_faster_escalation_mends_no_defect_later(seed: int, factor: float) -> None:
    slow, fast = world(seed), world(seed, levers=lever(escalation=factor), use_levers=["it"])
    before, after = rows_of(slow), rows_of(fast)
    for event in (Event.defect_believed, Event.defect_mended):
        assert no_later(when(fast, after, event), when(slow, before, event))
    assert lost(after) <= lost(before)


@FEW
@given(seed=seeds, short=st.floats(0.0, 200.0), more=st.floats(0.0, 200.0))
def test_a_longer_crossing_between_owners_mends_no_defect_earlier(
    seed: int, short: float, more: float
) -> None:
    given = [
        world(seed, defects=defects(escalation={**defects()["escalation"], "crossing": f"{hours} h"}))
        for hours in (short, short + more)
    ]
    quick, slow = (when(p, rows_of(p), Event.defect_mended) for p in given)
    assert no_later(quick, slow)


@FEW
@given(seed=seeds)
def test_each_owner_more_that_a_defect_must_cross_to_mends_it_no_earlier(seed: int) -> None:
    levels = defects()["escalation"]["levels"]
    one_owner = {**defects()["escalation"], "levels": [{**level, "owner": "a"} for level in levels]}
    one, two = world(seed, defects=defects(escalation=one_owner)), world(seed)
    assert no_later(
        when(one, rows_of(one), Event.defect_mended), when(two, rows_of(two), Event.defect_mended)
    )


@FEW
@given(seed=seeds, less=chances, more=chances)
def test_comparing_more_of_what_was_ordered_notices_no_later_and_loses_no_more(
    seed: int, less: float, more: float
) -> None:
    less, more = sorted((less, more))
    given = [
        world(seed, faults=faults(reconciliation={"every": "24 h", "chance": chance}))
        for chance in (less, more)
    ]
    before, after = (rows_of(p) for p in given)
    assert no_later(
        when(given[1], after, Event.defect_believed), when(given[0], before, Event.defect_believed)
    )
    assert lost(after) <= lost(before)


@FEW
@given(seed=seeds)
def test_with_an_owner_for_every_list_nothing_is_lost_on_a_list(seed: int) -> None:
    """Not by lists that lose their owner, not by defects that leave a queue to nobody, not by chance."""
    strikes = faults(everywhere=1.0)
    strikes["faults"]["unwatched"] = {**strikes["faults"]["unwatched"], "rate": 0.1}
    topology = read("bare")
    topology["organisations"][0]["services"][0]["watched"] = False
    settings_of: dict[str, Any] = {
        "topology": topology,
        "faults": strikes,
        "defects": defects(
            latent=[{**defects()["latent"][0], "fault": "unwatched"}],
            owners={
                "lost_at_go_live": 0.7, "reorganisations_per_year": 20, "lost_at_reorganisation": 0.3,
                "found_then": "30 days",
            },
        ),
    }  # fmt: skip
    without = rows_of(world(seed, **settings_of))
    assert np_any(without, Fault.unwatched)
    acts = {"owners": 1.0, "fault__unwatched": 0.0}
    kept = rows_of(world(seed, **settings_of, levers=lever(**acts), use_levers=["it"]))
    assert not np_any(kept, Fault.unwatched)
    assert not (kept["event"] == Event.owner_lost).any()
    assert not lost(kept)


def np_any(rows: Rows, fault: Fault) -> bool:
    """Return whether any delivery was ever in a silent state by a fault."""
    return bool(((rows["fault"] == fault) & (rows["state"] == State.silent)).any())


WORK = """
- {id: write, do: work, service: origin, minutes: 10 min, search: {kind: exponential, mean: 5 min}}
- {id: refer, do: send, message: referral, sender: origin, to: referral_intake}
- {id: assess, do: work, service: referral_intake, minutes: {kind: exponential, mean: 20 min}, search: 5 min}
- {id: answer, do: send, message: referral_status, sender: referral_intake, to: origin, reading: 3 min}
"""


def work_hours(seed: int, view: str, dip: float, entry: float) -> dict[tuple[int, int, int], float]:
    """Return what each piece of work took, by case, step and delivery."""
    people = {
        "basis": BASIS, "chase": "0 h", "consultation": "20 min",
        "learning": {
            "search": dip, "handling": dip, "slips": dip, "lasts": "10 days", "double_entry": entry,
            "history_moved": "20 days",
        },
    }  # fmt: skip
    common = {"gp_practices": "100 %", "roll_out": "10 days", "joining": NONE}
    steps = {**referrals(), "steps": pathway(WORK)["steps"]}
    given = plan(
        steps, seed=seed, faults="faults_none", people=people, adoption=common, view=view, days=60.0,
        topology="bare",
    )  # fmt: skip
    taken = rows_of(given)
    taken = taken[taken["event"] == Event.taken]
    keys = zip(taken["case"].tolist(), taken["step"].tolist(), taken["delivery"].tolist(), strict=True)
    return dict(zip(keys, taken["hours"].tolist(), strict=True))


@FEW
@given(seed=seeds, dip=st.floats(0.01, 1.0), entry=chances)
def test_without_a_dip_work_takes_in_transition_what_it_takes_when_settled(
    seed: int, dip: float, entry: float
) -> None:
    settled, transition = work_hours(seed, "settled", 0.0, 0.0), work_hours(seed, "transition", 0.0, 0.0)
    both = settled.keys() & transition.keys()
    assert len(both) > 100
    assert {k: settled[k] for k in both} == {k: transition[k] for k in both}
    # Nobody is in a dip in the settled view; in the other, nothing is quicker for it, and something slower.
    assert work_hours(seed, "settled", dip, entry) == settled
    deep = work_hours(seed, "transition", dip, entry)
    assert all(deep[k] >= hours for k, hours in settled.items() if k in deep)
    assert any(deep[k] > hours for k, hours in settled.items() if k in deep)


RELAYS = ("platform", "gateway", "register", "broker", "client", "post")


@FEW
@given(seed=seeds, per_year=st.floats(20.0, 200.0), hours=st.floats(1.0, 60.0))
def test_with_paper_for_everybody_no_message_waits_for_an_outage(
    seed: int, per_year: float, hours: float
) -> None:
    """A relay of narrow capacity is a list of its own, where some wait in any case; it is not down here."""
    down = [{"relay": relay, "per_year": per_year, "lasts": f"{hours} h"} for relay in RELAYS]
    common: dict[str, Any] = {
        "topology": "region", "channels": "channels_rough", "faults": "faults_none", "outages": down,
        "days": 40.0, "seed": seed, "level": "34 %",
    }  # fmt: skip
    without = plan(**common)
    waiting, paper = (
        rows_of(p) for p in (without, plan(**common, levers=lever(paper_fallback=1.0), use_levers=["it"]))
    )
    relays = [index(without, name) for name in RELAYS]

    def held(rows: Rows) -> int:
        in_queue = (rows["event"] == Event.relay_in) & (rows["list_length"] > 0)
        return sum(int((in_queue & (rows["service"] == relay)).sum()) for relay in relays)

    assert held(waiting) > 0
    assert held(paper) == 0


@FEW
@given(
    number=st.integers(1, 4),
    every=st.integers(1, 30),
    wave=st.integers(1, 2),
    roll_out=st.sampled_from(["evenly", "waves", "curve", "neighbours"]),
    seed=seeds,
)
def test_nobody_goes_live_before_so_many_are_ready(
    number: int, every: int, wave: int, roll_out: str, seed: int
) -> None:
    ways: dict[str, Any] = {
        "evenly": {"roll_out": f"{3 * every} days"},
        "waves": {"waves": {"practices": wave, "every": f"{every} days"}},
        "curve": {"diffusion": {"innovation_per_year": 4.0, "imitation_per_year": 2.0}},
        "neighbours": {
            "diffusion": {"innovation_per_year": 4.0, "imitation_per_year": 2.0, "over": "neighbours"}
        },
    }
    level = "0 %" if roll_out in ("curve", "neighbours") else "100 %"
    common: dict[str, Any] = {"gp_practices": level, "joining": NONE, **ways[roll_out]}

    def live(together: int) -> list[float]:
        given = world(seed, adoption={**common, "together": together}, defects=defects(latent=[]))
        rows = rows_of(given)
        return rows["time"][rows["event"] == Event.went_live].tolist()  # type: ignore[no-any-return]

    ready, went = live(1), live(number)
    opens = ready[number - 1] if len(ready) >= number else math.inf
    assert went == [max(at, opens) for at in ready if max(at, opens) < math.inf]
    assert all(at >= opens for at in went)
