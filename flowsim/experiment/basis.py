"""What a design's results rest on, and who is on the platform in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from flowsim.config.experiment_file import Design
from flowsim.topology import build, joining_order, practices_at
from flowsim.vocabulary import Basis, Certainty

#: What a certainty lets a result be called; the weakest of all inputs counts.
_BASIS: Final[dict[Certainty, Basis]] = {
    Certainty.read: Basis.literature,
    Certainty.press: Basis.literature,
    Certainty.seed: Basis.literature,
    Certainty.derived: Basis.literature,
    Certainty.assumed: Basis.assumed,
}
_ORDER: Final = list(Basis)


def basis_of(design: Design) -> str:
    """Return the weakest basis of any number in a design: literature, replayed or assumed.

    Economics are left out: no simulation rests on them.
    """
    found = {_BASIS[certainty] for certainty in _certainties(design.model_copy(update={"economics": None}))}
    return max(found or {Basis.assumed}, key=_ORDER.index).value


def _certainties(value: Any) -> set[Certainty]:
    if isinstance(value, Certainty):
        return {value}
    if isinstance(value, BaseModel):
        value = [getattr(value, name) for name in type(value).model_fields]
    elif isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return set().union(*(_certainties(part) for part in value))
    return set()


def practices_joined(design: Design) -> dict[str, int]:
    """Return ``practices_on_platform`` at the start and ``practices_total`` (those that can join)."""
    region = build(design.topology)
    order = joining_order(region, design.adoption.order, design.order_seed)
    on = practices_at(design.adoption.gp_practices, order, region)
    return {"practices_on_platform": len(on), "practices_total": sum(not p.outside for p in region.practices)}


def organisations_joined(design: Design) -> dict[str, int]:
    """Return whether any municipality and hospital is on the platform (1, else 0), and the inhabitants."""
    named = design.adoption.organisations
    joined = {
        organisation.kind
        for organisation in build(design.topology).topology.organisations
        if (organisation.on_platform if named is None else organisation.id in named)
    }
    return {
        "municipality_on_platform": int("municipality" in joined),
        "hospital_on_platform": int("hospital" in joined),
        "inhabitants": design.topology.inhabitants,
    }
