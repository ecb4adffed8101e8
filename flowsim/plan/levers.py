"""What the levers of a design move, when, and how far: reach × adherence × effect of the full effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from flowsim.config.experiment_file import Design
from flowsim.config.levers_file import Act, Knob
from flowsim.plan.layout import DIAL_FALLBACK, DIAL_STALE, DIAL_WAY
from flowsim.vocabulary import Fault, FoundBy

#: Knobs whose value is a factor on what there is; the others move from what there is towards the full effect.
_FACTORS = ("fault", "search", "handling", "slips", "staff", "addresses", "escalation")


class Turn(NamedTuple):
    """A knob that is turned at an instant, and what it then stands at."""

    at_hours: float
    on: Knob
    what: str
    value: float


def lever_turns(design: Design) -> list[Turn]:
    """Return what the design's levers do, in order of time."""
    turns = []
    for name in design.use_levers:
        lever = design.levers.levers[name]
        for act in lever.acts:
            strength = lever.strength
            base = 1.0 if act.on in _FACTORS else _standing(design, act)
            value = base + strength * (act.full - base)
            if act.on not in _FACTORS:
                value = max(value, base)  # where more is done already, the lever adds nothing
            if act.on == "together":  # a number to wait for is kept or not
                value = act.full if strength > 0.0 else 1.0
            turns.append(Turn(lever.start_up.hours, act.on, act.what, value))
    return sorted(turns, key=lambda turn: turn.at_hours)


def _standing(design: Design, act: Act) -> float:
    """Return the chance that a knob stands at without levers."""
    if act.on == "way":
        return base_chance(design, act.what)
    if act.on == "test_coverage":
        return design.defects.testing.coverage.value
    if act.on == "training" and design.people.learning is not None:
        return design.people.learning.training.spares.value
    return 0.0


def factor_at(turns: list[Turn], on: Knob, hours: float, what: str = "") -> float:
    """Return the factor that the levers have put on something by an instant."""
    factor = 1.0
    for turn in turns:
        if turn.on == on and turn.what == what and turn.at_hours <= hours:
            factor *= turn.value
    return factor


def highest(turns: list[Turn], on: Knob, base: float) -> float:
    """Return the highest value that a knob has in the run, its own without levers included."""
    return max([base, *(turn.value for turn in turns if turn.on == on)])


def lifted_ways(design: Design) -> dict[str, float]:
    """Return the chance that levers give each way back, once they work."""
    out: dict[str, float] = {}
    for turn in lever_turns(design):
        if turn.on == "way":
            out[turn.what] = max(out.get(turn.what, 0.0), turn.value)
    return out


def dial_turns(design: Design) -> tuple[tuple[float, int, float], ...]:
    """Return (hours, dial, factor) for everything that levers turn in the mail itself."""
    return tuple(sorted(_dial_turns(design)))


def _dial_turns(design: Design) -> Iterator[tuple[float, int, float]]:
    turns = lever_turns(design)
    for turn in turns:
        if turn.on == "fault":
            factor = factor_at(turns, "fault", turn.at_hours, turn.what)
            yield turn.at_hours, int(Fault[turn.what]), factor
        elif turn.on == "addresses":
            yield turn.at_hours, DIAL_STALE, factor_at(turns, "addresses", turn.at_hours)
        elif turn.on == "paper_fallback":
            yield turn.at_hours, DIAL_FALLBACK, turn.value
    for way, lifted in lifted_ways(design).items():
        base = base_chance(design, way)
        if lifted > base:
            # The plan holds the chance that the lever gives; until it works, the dial takes it back.
            at = min(turn.at_hours for turn in turns if turn.on == "way" and turn.what == way)
            if at > 0.0:
                yield 0.0, DIAL_WAY + FoundBy[way], base / lifted
                yield at, DIAL_WAY + FoundBy[way], 1.0


def base_chance(design: Design, way: str) -> float:
    """Return the chance of a way back that the faults file gives, without levers."""
    faults = design.faults
    if way == "audit":
        return faults.audit.chance.value if faults.audit is not None else 0.0
    if way == "reconciliation":
        return faults.reconciliation.chance.value if faults.reconciliation is not None else 0.0
    found = faults.found_by.get(way)  # type: ignore[call-overload]
    return found.chance.value if found is not None else 0.0
