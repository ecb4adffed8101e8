"""The region: services and relays as a graph, who serves whom, routes, adoption, and checks."""

from flowsim.topology.adoption import connected_flow, joining_order, practices_at
from flowsim.topology.checks import check_topology, in_document
from flowsim.topology.expand import expand
from flowsim.topology.graph import (
    DEAD_ENDPOINT_KEY,
    PATIENTS_KEY,
    PracticeNode,
    Region,
    RelayNode,
    ServiceNode,
    build,
    connections,
    first_of_kind,
    stable_hash,
)
from flowsim.topology.load import ServiceLoad, load_per_service, load_table, mean_hours
from flowsim.topology.pathway_checks import check_pathway, warn
from flowsim.topology.routes import is_on_platform, route, single_points_of_failure, unreachable_when_down

__all__ = [
    "DEAD_ENDPOINT_KEY",
    "PATIENTS_KEY",
    "PracticeNode",
    "Region",
    "RelayNode",
    "ServiceLoad",
    "ServiceNode",
    "build",
    "check_pathway",
    "check_topology",
    "connected_flow",
    "connections",
    "expand",
    "first_of_kind",
    "in_document",
    "is_on_platform",
    "joining_order",
    "load_per_service",
    "load_table",
    "mean_hours",
    "practices_at",
    "route",
    "single_points_of_failure",
    "stable_hash",
    "unreachable_when_down",
    "warn",
]
