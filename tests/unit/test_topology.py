"""The region: numbering, who serves whom, routes, joining, and what is written by rule."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from flowsim.config.schema import TopologyFile
from flowsim.errors import UsageError
from flowsim.topology import (
    Region,
    build,
    connected_flow,
    expand,
    joining_order,
    practices_at,
    route,
    single_points_of_failure,
    unreachable_when_down,
)
from flowsim.vocabulary import Channel, Party, ServiceKind

QUEUE = {"staff": 1, "minutes": "10 min", "ignored": "10 %"}


def service(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": kind, "staff": 2, **more}


FILE: dict[str, Any] = {
    "name": "Test",
    "basis": {"source": "invented", "certainty": "assumed"},
    "inhabitants": 10000,
    "relays": [
        {"id": "record", "kind": "platform"},
        {"id": "gateway", "kind": "gateway"},
        {"id": "register", "kind": "address_register"},
        {"id": "broker", "kind": "broker"},
        {"id": "gp_client", "kind": "message_client"},
        {"id": "town_client", "kind": "message_client"},
        {"id": "post", "kind": "post"},
    ],
    "organisations": [
        {
            "id": "hospital",
            "kind": "hospital",
            "on_platform": True,
            "serves": ["city"],
            "error_queue": QUEUE,
            "services": [
                service("heart", "referral_intake", area="heart"),
                service("eye", "referral_intake", area="eye"),
                service("rest", "referral_intake"),
            ],
        },
        {
            "id": "regional",
            "kind": "hospital",
            "on_platform": True,
            "services": [service("intake", "referral_intake"), service("lab", "laboratory")],
        },
        {
            "id": "city",
            "kind": "municipality",
            "on_platform": True,
            "services": [
                service("cases", "case_office"),
                service("north", "home_nursing", area="north"),
                service("south", "home_nursing", area="south"),
            ],
        },
        {
            "id": "hamlet",
            "kind": "municipality",
            "message_client": "town_client",
            "services": [service("cases", "case_office")],
        },
    ],
    "practice_template": {
        "message_client": "gp_client",
        "staff_per_gp": 0.5,
        "calendar": "always",
        "error_queue": QUEUE,
    },
    "practices": [
        {"id": "first", "gps": 5, "patients": 5000, "municipality": "city"},
        {"id": "second", "gps": 1, "patients": 900, "municipality": "city"},
        {"id": "third", "gps": 2, "patients": 2000, "municipality": "city", "district": "south"},
        {"id": "far", "gps": 2, "patients": 1500, "municipality": "hamlet", "edi": False},
        {"id": "abroad", "gps": 9, "patients": 9000, "municipality": "hamlet", "outside": True},
    ],
}


def made(**changes: Any) -> Region:
    return build(TopologyFile.model_validate({**copy.deepcopy(FILE), **changes}))


@pytest.fixture
def region() -> Region:
    return made()


def keyed(region: Region, index: int | None) -> str | None:
    return None if index is None else region.services[index].key


def number(region: Region, key: str) -> int:
    return next(s.index for s in region.services if s.key == key)


def relay_ids(region: Region, relays: list[int]) -> list[str]:
    return [region.relays[r - len(region.services)].id for r in relays]


def test_services_are_numbered_in_the_files_order_then_practices_then_relays(region: Region) -> None:
    assert [s.key for s in region.services] == [
        "hospital/heart", "hospital/eye", "hospital/rest", "hospital/errors",
        "regional/intake", "regional/lab",
        "city/cases", "city/north", "city/south",
        "hamlet/cases",
        "first/inbox", "first/errors", "second/inbox", "second/errors", "third/inbox", "third/errors",
        "far/inbox", "far/errors", "abroad/inbox", "abroad/errors",
        "patients/patients", "nowhere/dead_endpoint",
    ]  # fmt: skip
    assert [s.index for s in region.services] == list(range(22))
    assert [r.index for r in region.relays] == list(range(22, 29))
    assert region.services[region.patients].key == "patients/patients"
    assert region.services[region.dead_endpoint].kind == ServiceKind.dead_endpoint


def test_a_node_carries_what_its_organisation_says(region: Region) -> None:
    heart, office = region.services[0], region.services[number(region, "hamlet/cases")]
    assert (heart.party, heart.on_platform, heart.client, heart.error_queue) == (Party.hospital, True, -1, 3)
    assert (office.municipality, office.on_platform, office.error_queue) == ("hamlet", False, -1)
    assert region.relays[office.client - 22].id == "town_client"
    errors = region.services[heart.error_queue]
    assert errors.error_settings is not None
    assert errors.error_settings.ignored == 0.1


def test_a_practice_has_at_least_one_member_of_staff_and_no_address_without_edi(region: Region) -> None:
    inboxes = [region.services[p.service] for p in region.practices]
    assert [s.staff for s in inboxes] == [2, 1, 1, 1, 4]
    assert [s.address for s in inboxes] == ["edi", "edi", "edi", "none", "edi"]
    assert all(region.services[p.service].practice == p.index for p in region.practices)


def test_districts_are_dealt_out_in_turn_unless_a_practice_states_its_own(region: Region) -> None:
    assert [p.district for p in region.practices] == ["north", "south", "south", None, None]


def test_patients_that_the_file_has_are_kept_where_they_stand() -> None:
    people = {
        "id": "patients",
        "kind": "patients",
        "services": [service("patients", "patients", address="none")],
    }
    region = made(organisations=[people, *FILE["organisations"]])
    assert region.patients == 0
    assert sum(s.kind == ServiceKind.patients for s in region.services) == 1
    assert region.relays[0].index == len(region.services)


@pytest.mark.parametrize(
    ("ref", "practice", "area", "expected"),
    [
        ("origin", 0, None, "hospital/eye"),
        ("gp_office", 2, None, "third/inbox"),
        ("referral_intake", 0, "heart", "hospital/heart"),
        ("referral_intake", 0, "eye", "hospital/eye"),
        ("referral_intake", 0, "skin", "hospital/rest"),  # no such area: the one for all
        ("referral_intake", 3, "heart", "regional/intake"),  # only the regional hospital serves the hamlet
        ("referral_intake", 0, None, "hospital/rest"),
        ("laboratory", 0, "heart", "regional/lab"),  # the own hospital has none
        ("case_office", 0, "heart", "city/cases"),
        ("case_office", 3, None, "hamlet/cases"),
        ("home_nursing", 0, "heart", "city/north"),  # by district, whatever the clinical area
        ("home_nursing", 1, None, "city/south"),
        ("home_nursing", 3, None, None),  # the hamlet has none
        ("hospital/eye", 3, "heart", None),  # that hospital does not serve the hamlet
        ("regional/intake", 0, "heart", "regional/intake"),
        ("hospital/referral_intake", 0, "heart", "hospital/heart"),
        ("municipality/case_office", 3, None, "hamlet/cases"),
        ("second/inbox", 0, None, "second/inbox"),
        ("patients", 3, "heart", "patients/patients"),
        ("ward", 0, None, None),
    ],
)
def test_a_service_name_means_the_one_that_serves_the_patient(
    region: Region, ref: str, practice: int, area: str | None, expected: str | None
) -> None:
    assert keyed(region, region.resolve(ref, practice, area, 1)) == expected


def test_a_named_hospital_without_the_area_does_not_take_it_but_one_that_serves_all_does() -> None:
    organisations = copy.deepcopy(FILE["organisations"])
    del organisations[0]["services"][2]
    region = made(organisations=organisations)
    assert keyed(region, region.resolve("referral_intake", 0, "skin", -1)) == "regional/intake"


def test_a_practice_always_uses_the_same_one_of_several_alike_and_all_are_used() -> None:
    several = [service(f"office_{i}", "specialist_office") for i in range(3)]
    specialists = {"id": "eyes", "kind": "specialist", "message_client": "town_client", "services": several}
    practices = [{"id": f"p{i}", "gps": 1, "patients": 9, "municipality": "city"} for i in range(30)]
    region = made(organisations=[*FILE["organisations"], specialists], practices=practices)
    chosen = [keyed(region, region.resolve("specialist_office", p, None, -1)) for p in range(30)]
    assert set(chosen) == {"eyes/office_0", "eyes/office_1", "eyes/office_2"}
    fewer = made(organisations=[*FILE["organisations"], specialists], practices=practices[:7])
    assert chosen[:7] == [keyed(fewer, fewer.resolve("specialist_office", p, None, -1)) for p in range(7)]


def test_candidates_are_all_that_a_name_can_mean(region: Region) -> None:
    assert [keyed(region, i) for i in region.candidates("municipality/case_office")] == [
        "city/cases",
        "hamlet/cases",
    ]
    assert region.candidates("origin") == region.candidates("hospital/nobody") == ()
    assert len(region.candidates("gp_office")) == 5


def test_e_mail_passes_client_register_broker_and_the_other_ends_door(region: Region) -> None:
    gp, hospital = number(region, "first/inbox"), number(region, "hospital/heart")
    assert relay_ids(region, route(region, gp, hospital, Channel.edi)) == [
        "gp_client", "register", "broker", "gateway",
    ]  # fmt: skip
    assert relay_ids(region, route(region, hospital, gp, Channel.edi)) == [
        "gateway", "register", "broker", "gp_client",
    ]  # fmt: skip
    joined = frozenset({0})
    assert relay_ids(region, route(region, gp, number(region, "hamlet/cases"), Channel.edi, joined)) == [
        "gateway", "register", "broker", "town_client",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "relays"),
    [
        (Channel.platform, ["record"]),
        (Channel.portal, ["record"]),
        (Channel.letter, ["post"]),
        (Channel.phone, []),
    ],
)
def test_other_channels_pass_one_relay_or_none(region: Region, channel: Channel, relays: list[str]) -> None:
    assert relay_ids(region, route(region, 0, 10, channel)) == relays


def test_a_route_leaves_out_relays_that_the_topology_lacks() -> None:
    region = made(relays=[{"id": "broker", "kind": "broker"}])
    assert relay_ids(region, route(region, number(region, "first/inbox"), 0, Channel.edi)) == ["broker"]


def cut_off(region: Region, relay: str, joined: frozenset[int] = frozenset()) -> set[str]:
    index = next(r.index for r in region.relays if r.id == relay)
    return {region.services[i].key for i in unreachable_when_down(region, index, joined)}


def test_an_outage_cuts_off_those_who_have_no_other_electronic_way(region: Region) -> None:
    off_platform = {"first/inbox", "second/inbox", "third/inbox", "abroad/inbox", "hamlet/cases"}
    assert cut_off(region, "broker") == cut_off(region, "register") == off_platform
    assert cut_off(region, "town_client") == {"hamlet/cases"}
    assert cut_off(region, "record") == set()  # e-mail through the gateway still gets there
    assert cut_off(region, "post") == set()
    assert "first/inbox" not in cut_off(region, "broker", frozenset({0}))  # it has the platform as well


def test_the_worst_single_points_of_failure_come_first(region: Region) -> None:
    found = single_points_of_failure(region)
    assert [(relay_ids(region, [relay])[0], len(services)) for relay, services in found] == [
        ("register", 5), ("broker", 5), ("gp_client", 4), ("town_client", 1),
    ]  # fmt: skip


def test_the_graph_has_both_layers_and_only_real_connections(region: Region) -> None:
    layers = [data["layer"] for _, data in region.graph.nodes(data=True)]
    assert (layers.count("service"), layers.count("relay")) == (22, 7)
    record = next(r.index for r in region.relays if r.id == "record")
    assert region.graph.has_edge(0, record)
    assert not region.graph.has_edge(number(region, "first/inbox"), record)
    assert not any(
        region.graph.nodes[a]["layer"] == region.graph.nodes[b]["layer"] == "service"
        for a, b in region.graph.edges
    )


def test_practices_outside_the_roll_out_never_join(region: Region) -> None:
    for order in ("random", "largest_first", "smallest_first", "most_connected", ("second",)):
        assert sorted(joining_order(region, order, 1)) == [0, 1, 2, 3]


def test_joining_orders_do_what_they_say(region: Region) -> None:
    assert joining_order(region, "largest_first", 1) == (0, 2, 3, 1)
    assert joining_order(region, "smallest_first", 1) == (1, 3, 2, 0)
    assert joining_order(region, ("second", "far"), 1) == (1, 3, 0, 2)


def test_the_most_connected_practice_moves_most_flow_to_the_platform(region: Region) -> None:
    flow = connected_flow(region)
    # 3 intakes, laboratory, case office, home nursing; from the hamlet intake and laboratory only.
    assert flow[0] == 6 * 5000
    assert flow[3] == 2 * 1500
    assert joining_order(region, "most_connected", 1) == (0, 2, 1, 3)


def test_a_random_order_does_not_move_when_a_practice_is_added(region: Region) -> None:
    more = made(
        practices=[{"id": "new", "gps": 3, "patients": 3000, "municipality": "city"}, *FILE["practices"]]
    )
    names = [region.practices[i].id for i in joining_order(region, "random", 7)]
    names_with_new = [more.practices[i].id for i in joining_order(more, "random", 7)]
    assert [n for n in names_with_new if n != "new"] == names
    assert len({joining_order(region, "random", seed) for seed in range(30)}) > 5


@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("0 %", []),
        ("2 practices", ["first", "third"]),
        ("1 practice", ["first"]),
        ("37.5 %", ["first", "third"]),  # 1.5 is rounded up
        ("37.4 %", ["first"]),
        ("100 %", ["first", "second", "third", "far"]),
        (("far", "second"), ["second", "far"]),
    ],
)
def test_a_level_takes_the_first_of_the_order(region: Region, level: Any, names: list[str]) -> None:
    order = joining_order(region, "largest_first", 1)
    assert [region.practices[i].id for i in sorted(practices_at(level, order, region))] == names


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("5 practices", "more than the 4"),
        (("frist",), "Did you mean 'first'"),
        (("abroad",), "outside the roll-out"),
    ],
)
def test_a_level_that_cannot_be_is_told(region: Region, level: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        practices_at(level, joining_order(region, "random", 1), region)


def test_an_unknown_order_is_told_with_the_nearest(region: Region) -> None:
    with pytest.raises(UsageError, match="Did you mean 'largest_first'"):
        joining_order(region, "largest", 1)


def test_a_topology_without_rules_is_returned_as_it_is() -> None:
    topology = TopologyFile.model_validate(FILE)
    assert expand(topology) is topology


RULES: dict[str, Any] = {
    "seed": 3,
    "practices": [{"municipality": "city", "id": "gp", "number": 7, "gps": 31, "patients": 30001}],
    "municipalities": [
        {
            "id": "valley", "label": "Valley", "number": 5, "inhabitants": 60000, "smallest": 1500,
            "on_platform": 2, "message_client": "town_client", "served_by": ["hospital"],
            "gps_per_1000": 1.0, "gps_per_practice": 4,
            "services": [
                {"id": "cases", "kind": "case_office", "inhabitants_per_staff": 5000},
                {"id": "home", "kind": "home_nursing", "inhabitants_per_staff": 4000,
                 "inhabitants_per_district": 8000},
                {"id": "beds", "kind": "short_term_ward", "inhabitants_per_staff": 9000,
                 "inhabitants_per_place": 1000},
            ],
        }
    ],
}  # fmt: skip


def test_what_is_written_by_rule_adds_up_and_is_always_the_same() -> None:
    topology = TopologyFile.model_validate({**copy.deepcopy(FILE), "generate": RULES})
    expanded = expand(topology)
    assert expanded == expand(topology)
    assert expand(expanded) is expanded
    group = [p for p in expanded.practices if p.id.startswith("gp_")]
    assert (len(group), sum(p.gps for p in group), sum(p.patients for p in group)) == (7, 31, 30001)
    assert group[0].id == "gp_01"
    assert len({p.gps for p in group}) > 2
    valleys = [o for o in expanded.organisations if o.id.startswith("valley_")]
    sizes = [o.inhabitants or 0 for o in valleys]
    assert (len(valleys), sum(sizes), min(sizes) >= 1500) == (5, 60000, True)
    assert max(sizes) > 2 * min(sizes)
    assert {o.id for o in valleys if o.on_platform} == {
        o.id for o in sorted(valleys, key=lambda o: -(o.inhabitants or 0))[:2]
    }
    assert expanded.organisations[0].serves == ("city", *(o.id for o in valleys))
    listed = [p for p in expanded.practices if p.municipality.startswith("valley_")]
    assert sum(p.patients for p in listed) == 60000


def test_municipal_services_follow_the_number_of_inhabitants() -> None:
    expanded = expand(TopologyFile.model_validate({**copy.deepcopy(FILE), "generate": RULES}))
    for municipality in (o for o in expanded.organisations if o.id.startswith("valley_")):
        inhabitants = municipality.inhabitants or 0
        kinds = [s.kind for s in municipality.services]
        assert kinds.count(ServiceKind.home_nursing) == max(1, round(inhabitants / 8000))
        office = municipality.services[0]
        assert inhabitants / 5000 <= office.staff < inhabitants / 5000 + 1
        assert municipality.services[-1].places == -(-inhabitants // 1000)


def test_another_seed_deals_the_sizes_out_otherwise_but_does_not_change_them() -> None:
    def sizes(seed: int) -> list[int | None]:
        file = {**copy.deepcopy(FILE), "generate": {**RULES, "seed": seed}}
        return [o.inhabitants for o in expand(TopologyFile.model_validate(file)).organisations[4:]]

    assert sizes(1) != sizes(2)
    assert sorted(map(str, sizes(1))) == sorted(map(str, sizes(2)))
