"""The response team as the world needs it: who acts on the monitor's alerts, when, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass

from flowsim.plan.services import Builder


@dataclass(frozen=True)
class ResponsePlan:
    """How often the monitor sweeps, and the team that acts on it.

    ``incident`` and ``item`` are rows of the distributions. A team with ``staff`` 0 takes note and does not
    act. ``unchecked`` and ``missed`` are chances for each item.
    """

    every_hours: float
    staff: int = 0
    calendar: int = -1
    incident: int = -1
    item: int = -1
    unchecked: float = 0.0
    swamped_at: int = 1
    skim: float = 1.0
    missed: float = 0.0
    sample: int = 0
    soft_too: bool = True


def response_plan(builder: Builder) -> ResponsePlan | None:
    """Return how alerts are acted on in a design; None where it has no monitor."""
    design = builder.design
    if not design.is_watched:
        return None
    watch, response = design.watch, design.response
    if response is None or not watch.acts:
        return ResponsePlan(watch.every.hours, soft_too=response is None or response.soft_too)
    return ResponsePlan(
        every_hours=watch.every.hours,
        staff=response.staff,
        calendar=builder.calendar(response.calendar, "response"),
        incident=builder.distribution(response.incident),
        item=builder.distribution(response.item),
        unchecked=response.unchecked.value,
        swamped_at=response.swamped_at,
        skim=response.skim,
        missed=response.missed.value,
        sample=response.sample,
        soft_too=response.soft_too,
    )
