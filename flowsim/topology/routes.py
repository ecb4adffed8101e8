"""Questions to the graph: which relays a message passes, and what an outage cuts off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from flowsim.topology.graph import Region, first_of_kind
from flowsim.vocabulary import Channel, RelayKind

if TYPE_CHECKING:
    #: A node is an organisation, relay or service, and which side of the way it is on.
    Ways = nx.DiGraph[tuple[int | str, str]]


def is_on_platform(region: Region, service: int, joined: frozenset[int] = frozenset()) -> bool:
    """Return whether a service uses the shared record, given the practices (indices) that have joined."""
    node = region.services[service]
    return node.on_platform or node.practice in joined


def route(
    region: Region, sender: int, receiver: int, channel: Channel, joined: frozenset[int] = frozenset()
) -> list[int]:
    """Return the relays (journal numbers) that a message passes, in order.

    edi: the sender's message client, or the platform's gateway if it is on the platform → address
    register (an outage of it holds mail) → broker → the receiver's client or gateway. platform and
    portal: the platform. letter: the post. phone: none. Relays that the topology lacks are left out.
    """
    first = first_of_kind(region.relays)
    if channel == Channel.phone:
        return []
    if channel in (Channel.platform, Channel.portal):
        path = [first.get(RelayKind.platform, -1)]
    elif channel == Channel.letter:
        path = [first.get(RelayKind.post, -1)]
    else:
        doors = [
            first.get(RelayKind.gateway, -1)
            if is_on_platform(region, end, joined)
            else region.services[end].client
            for end in (sender, receiver)
        ]
        middle = [first.get(RelayKind.address_register, -1), first.get(RelayKind.broker, -1)]
        path = [doors[0], *middle, doors[1]]
    return [relay for relay in path if relay >= 0]


def unreachable_when_down(
    region: Region, relay: int, joined: frozenset[int] = frozenset()
) -> tuple[int, ...]:
    """Return the services (indices) that no other organisation can reach electronically without a relay.

    Only services that could be reached before count; letters and the phone are left out of the question.
    """
    ways = _electronic_ways(region, joined)
    before = _reached_from_others(region, ways)
    ways.remove_nodes_from([(relay, "out"), (relay, "in")])
    return tuple(sorted(before - _reached_from_others(region, ways)))


def _electronic_ways(region: Region, joined: frozenset[int]) -> Ways:
    """Return the directed graph that mail walks: organisation → relays on the way out → in → service.

    A relay is two nodes, (number, "out") and (number, "in"), as otherwise mail would seem to turn round
    in a message client that sender and receiver share, without passing the broker.
    """
    first = first_of_kind(region.relays)
    platform = first.get(RelayKind.platform, -1)
    middle = [(first[k], "out") for k in (RelayKind.address_register, RelayKind.broker) if k in first]
    ways: Ways = nx.DiGraph()
    nx.add_path(ways, middle)
    ways.add_edge((platform, "out"), (platform, "in"))
    for service in region.services:
        if service.address == "none":
            continue
        sender, receiver = (service.organisation, "from"), (service.index, "to")
        inside = is_on_platform(region, service.index, joined)
        door = first.get(RelayKind.gateway, -1) if inside else service.client
        if service.address == "edi" and door >= 0 and middle:
            nx.add_path(ways, [sender, (door, "out"), middle[0]])
            nx.add_path(ways, [middle[-1], (door, "in"), receiver])
        if inside and platform >= 0:
            ways.add_edge(sender, (platform, "out"))
        if (inside or service.address == "portal") and platform >= 0:
            ways.add_edge((platform, "in"), receiver)
    return ways


def _reached_from_others(region: Region, ways: Ways) -> set[int]:
    """Return the services that some other organisation's mail gets to."""
    reached = set()
    for relay in [node for node in ways if node[1] == "in"]:
        senders = {node[0] for node in nx.ancestors(ways, relay) if node[1] == "from"}
        for receiver, _ in ways.successors(relay):
            if senders - {region.services[int(receiver)].organisation}:
                reached.add(int(receiver))
    return reached


def single_points_of_failure(
    region: Region, joined: frozenset[int] = frozenset()
) -> list[tuple[int, tuple[int, ...]]]:
    """Return each relay whose outage cuts services off, with those services, the most first."""
    found = [(r.index, unreachable_when_down(region, r.index, joined)) for r in region.relays]
    return sorted((x for x in found if x[1]), key=lambda x: (-len(x[1]), x[0]))
