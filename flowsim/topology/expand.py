"""Writes out what a topology file states by rule: pure data to data, always the same."""

from __future__ import annotations

from flowsim.config.topology_file import TopologyFile


def expand(topology: TopologyFile) -> TopologyFile:
    """Return the topology with everything that its ``generate`` block stands for written out."""
    return topology
