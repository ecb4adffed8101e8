"""What every region must hold, drawn at random, and what the shipped topologies must be."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.config.loading import load, load_yaml, validate
from flowsim.config.schema import PathwayFile, TopologyFile
from flowsim.config.topology_file import Generate, Practice, PracticeGroup
from flowsim.topology import (
    Region,
    build,
    check_pathway,
    check_topology,
    expand,
    in_document,
    joining_order,
    load_per_service,
    practices_at,
    route,
    warn,
)
from flowsim.topology.expand import share_out, sizes
from flowsim.vocabulary import Certainty, Channel, RelayKind, ServiceKind

ROOT = Path(__file__).parents[2]
SHIPPED = ["minimal", "district", "trondheim", "midt_norge"]
ORDERS = ["random", "largest_first", "smallest_first", "most_connected"]


@cache
def topology(name: str) -> TopologyFile:
    return load(ROOT / "topologies" / f"{name}.yaml", TopologyFile)


@cache
def region(name: str) -> Region:
    return build(topology(name))


@cache
def pathways() -> tuple[PathwayFile, ...]:
    files = sorted((ROOT / "flowsim" / "catalogue" / "pathways").glob("*.yaml"))
    return tuple(load(file, PathwayFile) for file in files)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_topology_passes_every_check_with_the_catalogues_pathways(name: str) -> None:
    document = load_yaml(ROOT / "topologies" / f"{name}.yaml")
    assert check_topology(validate(document, TopologyFile), in_document(document)) == []
    assert [str(fault) for pathway in pathways() for fault in check_pathway(region(name), pathway)] == []
    assert [str(fault) for fault in warn(region(name), pathways())] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_capacity_of_a_shipped_topology_is_set_before_faults(name: str) -> None:
    loads = [row for row in load_per_service(region(name), pathways()) if row.offered > 0]
    slots = [row.load for row in loads if row.of == "slots"]
    assert min(slots) > 0.97  # a standing queue: less would empty it, more would let it grow
    assert max(row.load for row in loads if row.of == "staff") < 0.9
    hospital_beds = [
        row.load for row in loads if row.of == "beds" and "ward_" in row.key and "short" not in row.key
    ]
    assert all(0.75 < load < 0.9 for load in hospital_beds)
    for row in loads:
        service = region(name).services[row.service]
        if row.of == "slots":
            # Until those planned after the start come, their slots go to routine patients too: 1.45 weeks.
            routine_weeks = (service.waiting_at_start / row.capacity - 1.45) / 0.593
            assert 8 < routine_weeks < 10.1, row.key


@pytest.mark.parametrize("name", ["trondheim", "district", "midt_norge"])
def test_a_named_place_carries_the_notice_and_every_block_its_source(name: str) -> None:
    file = topology(name)
    assert file.basis.certainty in Certainty
    named = name != "district"
    assert ("Modelled with assumed rates; says nothing" in file.notice) == named


def test_trondheim_has_the_sizes_of_the_facts() -> None:
    city = [p for p in region("trondheim").practices if not p.outside]
    assert (len(city), sum(p.gps for p in city), sum(p.patients for p in city)) == (45, 190, 212000)
    assert min(p.patients for p in city) < 3000
    assert max(p.patients for p in city) > 9000
    assert sum(p.patients for p in region("trondheim").practices) == topology("trondheim").inhabitants
    districts = {s.area for s in region("trondheim").services if s.municipality == "trondheim" and s.area}
    assert {p.district for p in city} == districts == {"west", "east", "south", "north"}


def test_trondheim_refers_as_many_patients_as_the_facts_derive() -> None:
    referrals = next(p for p in pathways() if p.id == "gp_referral")
    rate = referrals.starts.arrivals.per_year
    assert rate is not None
    # 60 % of 86-88 thousand a year go to the hospital (assumed).
    assert 0.6 * 86000 < rate * 212000 < 0.6 * 88000


def test_the_district_is_a_tenth_of_trondheim_with_the_same_loads() -> None:
    small, large = region("district"), region("trondheim")
    for what in ("patients", "gps"):
        total = sum(getattr(p, what) for p in large.practices)
        assert sum(getattr(p, what) for p in small.practices) == pytest.approx(total / 10, rel=0.02)

    def load_of(name: str, kind: ServiceKind, of: str) -> float:
        rows = [
            row
            for row in load_per_service(region(name), pathways())
            if row.of == of and region(name).services[row.service].kind == kind
        ]
        return sum(row.offered for row in rows) / sum(row.capacity for row in rows)

    # People come whole, so small lists are up to a tenth off; small wards need more room to spare.
    for kind, of, off in [
        ("clinic", "slots", 0.01),
        ("referral_intake", "staff", 0.1),
        ("ward", "beds", 0.08),
    ]:
        ours, theirs = (load_of(name, ServiceKind(kind), of) for name in ("district", "trondheim"))
        assert ours == pytest.approx(theirs, abs=off)


def test_the_region_has_67_municipalities_three_trusts_and_750000_inhabitants() -> None:
    expanded = expand(topology("midt_norge"))
    municipalities = [o for o in expanded.organisations if o.kind == "municipality"]
    assert len(municipalities) == 67
    assert sum(o.inhabitants or 0 for o in municipalities) == expanded.inhabitants == 750_000
    assert sum(o.on_platform for o in municipalities) == 20
    # Hospitals from outside the region serve none of its municipalities by name.
    trusts = [o for o in expanded.organisations if o.kind == "hospital" and o.serves]
    served = [name for trust in trusts for name in trust.serves]
    assert len(trusts) == 3
    assert sorted(served) == sorted(o.id for o in municipalities)
    assert sum(p.patients for p in expanded.practices) == 750_000


@pytest.mark.parametrize("name", SHIPPED)
def test_expanding_twice_gives_the_same_and_numbers_stay(name: str) -> None:
    again = build(load(ROOT / "topologies" / f"{name}.yaml", TopologyFile))
    assert again.topology == region(name).topology
    assert again.services == region(name).services
    assert again.practices == region(name).practices


@pytest.mark.parametrize("name", SHIPPED)
def test_every_e_mail_route_has_a_door_at_both_ends_and_the_broker(name: str) -> None:
    here = region(name)
    reached = [s.index for s in here.services if s.address == "edi" and s.kind != ServiceKind.dead_endpoint]
    first, last = reached[0], reached[-1]
    kinds = {r.index: r.kind for r in here.relays}
    for service in reached:
        for sender, receiver in ((service, last if service != last else first), (first, service)):
            way = [kinds[r] for r in route(here, sender, receiver, Channel.edi)]
            assert way[1:-1] == [RelayKind.address_register, RelayKind.broker]
            assert {way[0], way[-1]} <= {RelayKind.gateway, RelayKind.message_client}


levels = st.one_of(
    st.integers(0, 100).map(lambda n: f"{n} %"),
    st.floats(0, 100, allow_nan=False).map(lambda x: f"{x:.3f} %"),
    st.integers(0, 45).map(lambda n: f"{n} practices"),
)


@settings(max_examples=80, deadline=None)
@given(first=levels, second=levels, order=st.sampled_from(ORDERS), seed=st.integers(0, 2**32 - 1))
def test_levels_of_one_order_are_nested(first: str, second: str, order: str, seed: int) -> None:
    here = region("trondheim")
    joining = joining_order(here, order, seed)
    small, large = sorted((practices_at(level, joining, here) for level in (first, second)), key=len)
    assert small <= large
    assert not any(here.practices[p].outside for p in large)


@settings(max_examples=60, deadline=None)
@given(level=st.floats(0, 1, allow_nan=False), seed=st.integers(0, 2**32 - 1))
def test_a_share_takes_the_nearest_number_of_practices(level: float, seed: int) -> None:
    here = region("trondheim")
    joining = joining_order(here, "random", seed)
    assert sorted(joining) == [p.index for p in here.practices if not p.outside]
    assert abs(len(practices_at(f"{100 * level:.6f} %", joining, here)) - level * 45) <= 0.5 + 1e-6


@settings(max_examples=40, deadline=None)
@given(
    left_out=st.sets(st.integers(0, 44), max_size=40),
    seed=st.integers(0, 2**32 - 1),
    order=st.sampled_from(ORDERS),
)
def test_who_else_there_is_does_not_change_which_of_two_joins_first(
    left_out: set[int], seed: int, order: str
) -> None:
    whole = region("trondheim")
    file = whole.topology
    # Districts are written down, as they are dealt out in turn where a file leaves them open.
    kept = tuple(
        p.model_copy(update={"district": node.district})
        for i, (p, node) in enumerate(zip(file.practices, whole.practices, strict=True))
        if i not in left_out
    )
    fewer = build(file.model_copy(update={"practices": kept}))
    ids = [fewer.practices[i].id for i in joining_order(fewer, order, seed)]
    all_ids = [whole.practices[i].id for i in joining_order(whole, order, seed)]
    assert ids == [name for name in all_ids if name in ids]


@settings(max_examples=150, deadline=None)
@given(
    weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=60),
    smallest=st.integers(0, 5),
    above=st.integers(0, 100_000),
)
def test_what_is_shared_out_adds_up_and_nobody_gets_less_than_the_smallest(
    weights: list[float], smallest: int, above: int
) -> None:
    total = smallest * len(weights) + above
    shared = share_out(total, weights, smallest)
    assert sum(shared) == total
    assert min(shared) >= smallest
    assert all(abs(s - smallest - above * w / sum(weights)) < 1 for s, w in zip(shared, weights, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(1, 60),
    each=st.integers(1, 12),
    per_gp=st.integers(300, 2000),
    spread=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_generated_practices_add_up_to_what_the_group_says(
    number: int, each: int, per_gp: int, spread: float, seed: int
) -> None:
    group = PracticeGroup(
        municipality="town", number=number, gps=number * each, patients=number * each * per_gp, spread=spread
    )
    base = topology("minimal").model_copy(
        update={"practices": (), "generate": Generate(seed=seed, practices=(group,))}
    )
    made: tuple[Practice, ...] = expand(base).practices
    assert len({p.id for p in made}) == number
    assert sum(p.gps for p in made) == number * each
    assert sum(p.patients for p in made) == number * each * per_gp
    assert min(p.gps for p in made) >= 1
    assert expand(base).practices == made


def test_equal_spread_of_nothing_gives_equal_sizes() -> None:
    assert sizes(100, [f"a{i}" for i in range(10)], 0.0, 1, 7) == [10] * 10


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(SHIPPED),
    ref=st.sampled_from([k.value for k in ServiceKind]),
    area=st.sampled_from([None, "medicine", "surgery", "skin"]),
    data=st.data(),
)
def test_a_service_that_is_resolved_is_one_of_the_candidates_and_serves_the_patient(
    name: str, ref: str, area: str | None, data: st.DataObject
) -> None:
    here = region(name)
    practice = data.draw(st.integers(0, len(here.practices) - 1))
    found = here.resolve(ref, practice, area, -1)
    if found is None:
        return
    service = here.services[found]
    assert found in here.candidates(ref)
    assert service.kind == ref
    assert service.municipality in ("", here.practices[practice].municipality)
    if service.kind in (ServiceKind.home_nursing, ServiceKind.home_care):
        assert service.area in (None, here.practices[practice].district)
    elif area is not None:
        assert service.area in (None, area)
