"""What a year costs and brings each payer in one scenario, item by item, at any set of assumptions.

Signs are the payer's: what it pays is negative, what it receives or saves is positive. Formulas are in
docs/model.md, "Economics"; each item has one small function here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

from flowsim.config.economics_file import EconomicsFile, Payer, StaffParty
from flowsim.economics.assumptions import Amount, Point

PAYERS: Final[tuple[Payer, ...]] = get_args(Payer)
PARTIES: Final[tuple[StaffParty, ...]] = get_args(StaffParty)
SOCIETY: Final = "society"

#: Forms of the benefit: always all four, side by side, never added to each other.
FORMS: Final = ("none", "proportional", "threshold", "from_simulated_hours")
SIMULATED: Final = "from_simulated_hours"

#: Items of staff time, and the measures that they are made of.
STAFF: Final = {
    "staff_searching": "staff_hours_searching",
    "staff_chasing": "staff_hours_chasing",
    "staff_doing_again": "staff_hours_doing_again",
    "staff_training": "staff_hours_training",
}
#: Staff time that a better flow of messages can save; training is what it takes to get there.
SAVED: Final = ("staff_searching", "staff_chasing", "staff_doing_again")
#: What a payer's sum is made of, beside the benefit. Other staff time is shown and not added, as a benefit
#: that was reckoned holds it already.
SUMMED: Final = ("operating_cost", "introduction_cost", "staff_training", "lever_cost", "waiting_days")
#: A payer's sum before the cost of earlier systems, which nobody has stated.
SUM: Final = "sum_without_legacy"
LEGACY: Final = "legacy_cost"
BENEFIT: Final = "benefit"

#: Who pays for the time of a party, and the party whose hour a payer's hour is.
PAYER_OF: Final[dict[StaffParty, Payer]] = {
    "gp": "practice",
    "specialist": "practice",
    "hospital": "hospital_trust",
    "municipality": "municipality",
}
PARTY_OF: Final[dict[Payer, StaffParty]] = {
    "practice": "gp",
    "hospital_trust": "hospital",
    "municipality": "municipality",
}

#: (payer, item, form); the form is "" but for the benefit and the sum.
Key = tuple[str, str, str]
Ledger = dict[Key, Amount]


@dataclass(frozen=True)
class Lever:
    """What a lever costs a payer: hours and money a year, and money once."""

    payer: Payer
    hours_per_year: float = 0.0
    money_per_year: float = 0.0
    money_once: float = 0.0


@dataclass(frozen=True)
class World:
    """What is known of a scenario: who has joined, and what was simulated, for a whole region and year.

    ``joined`` is the share of each payer on the platform (municipality and hospital trust: 0 or 1).
    ``hours`` has item and party of all staff time that was measured; ``before`` the same in the compared
    baseline, None where there is none.
    """

    inhabitants: float
    joined: Mapping[Payer, float]
    hours: Mapping[tuple[str, StaffParty], float] = field(default_factory=dict)
    before: Mapping[tuple[str, StaffParty], float] | None = None
    waiting_days: float | None = None
    levers: tuple[Lever, ...] = ()

    def keeps_legacy(self, payer: Payer) -> float:
        """Return the share of a payer's earlier systems that it still pays for."""
        return 1.0 - self.joined.get(payer, 1.0)


def ledger(world: World, settings: EconomicsFile, point: Point) -> Ledger:
    """Return every item of every payer and of society, in NOK a year.

    What was not measured, or has no price, is left out. Society's items are the sums over payers.
    """
    own: Ledger = {}
    for payer in taking_part(world, settings):
        for item, amount in _items(world, settings, point, payer).items():
            own[payer, item, ""] = amount + 0.0  # no nought with a minus
        for form, amount in _benefits(world, settings, point, payer).items():
            own[payer, BENEFIT, form] = amount + 0.0
            rest = sum((own[payer, item, ""] for item in SUMMED if (payer, item, "") in own), 0.0)
            own[payer, SUM, form] = rest + amount
    whole: Ledger = {}
    for (_, item, form), amount in own.items():
        key = (SOCIETY, item, form)
        whole[key] = whole.get(key, 0.0) + amount
    return own | whole


def taking_part(world: World, settings: EconomicsFile) -> list[Payer]:
    """Return the payers that anything is reckoned for; the state only where a file or a lever names it."""
    introduction, waiting = settings.introduction, settings.waiting_day
    named = {introduction.rest, *introduction.shares, settings.benefit.payer, waiting.pays, waiting.receives}
    named |= {*settings.operating_cost, *(lever.payer for lever in world.levers)}
    return [payer for payer in PAYERS if payer != "state" or payer in named]


def scale(world: World, point: Point) -> Amount:
    """Return what simulated hours and days are multiplied with to hold for the file's inhabitants."""
    return point["inhabitants"] / world.inhabitants


def cost_per_actor(point: Point, payer: Payer, actors: Amount) -> Amount:
    """Return an actor's operating cost a year where so many share the fixed part: fixed/n + variable."""
    stated, fixed = point[f"operating_cost.{payer}"], point["joining.fixed_share"]
    return stated * (1.0 - fixed) + stated * fixed * point["joining.reckoned_for"] / actors


def price_path(settings: EconomicsFile) -> str:
    """Return the path of the price of a waiting day that holds in the file's year."""
    return f"waiting_day.prices.{max(y for y in settings.waiting_day.prices if y <= settings.year)}"


def _items(world: World, settings: EconomicsFile, point: Point, payer: Payer) -> dict[str, Amount]:
    """Return a payer's items without the benefit."""
    items: dict[str, Amount] = {}
    joined = world.joined.get(payer, 1.0)
    if payer in settings.operating_cost:
        items["operating_cost"] = -joined * cost_per_actor(point, payer, point["joining.actors"])
    if payer == settings.introduction.rest or payer in settings.introduction.shares:
        items["introduction_cost"] = -joined * _introduction(settings, point, payer)
    items |= _staff(world, point, payer)
    if any(lever.payer == payer for lever in world.levers):
        items["lever_cost"] = -_levers(world, point, payer)
    sign = {settings.waiting_day.pays: -1.0, settings.waiting_day.receives: 1.0}.get(payer)
    if world.waiting_days is not None and sign is not None:
        items["waiting_days"] = sign * world.waiting_days * scale(world, point) * point[price_path(settings)]
    if payer in settings.legacy_cost:
        left = world.keeps_legacy(payer)
        # Whoever has left the earlier systems pays nothing, however little is known of their cost.
        items[LEGACY] = -left * point[f"legacy_cost.{payer}"] if left else 0.0
    return items


def _introduction(settings: EconomicsFile, point: Point, payer: Payer) -> Amount:
    """Return a payer's part of the introduction, a year, without what its operating cost holds already."""
    place = point["introduction.total"] * point["inhabitants"] / point["introduction.region_inhabitants"]
    shares = {name: point[f"introduction.shares.{name}"] for name in settings.introduction.shares}
    share = 1.0 - sum(shares.values()) if payer == settings.introduction.rest else shares.get(payer, 0.0)
    held = point.get(f"introduction.in_operating_cost.{payer}", 0.0)
    return place * share * (1.0 - held) / point["introduction.years"]


def _staff(world: World, point: Point, payer: Payer) -> dict[str, Amount]:
    """Return the cost of a payer's staff time, by what it was spent on."""
    items: dict[str, Amount] = {}
    for (item, party), hours in world.hours.items():
        if PAYER_OF[party] == payer and f"hourly_cost.{party}" in point:
            cost = -hours * scale(world, point) * point[f"hourly_cost.{party}"]
            items[item] = items.get(item, 0.0) + cost
    return items


def _levers(world: World, point: Point, payer: Payer) -> Amount:
    """Return what levers cost a payer a year; what is paid once is spread as the introduction is."""
    cost: Amount = 0.0
    hour = point.get(f"hourly_cost.{PARTY_OF.get(payer, '')}", 0.0)
    for lever in world.levers:
        if lever.payer == payer:
            once = lever.money_once / point["introduction.years"]
            cost = cost + lever.hours_per_year * hour + lever.money_per_year + once
    return cost * scale(world, point)


def _benefits(world: World, settings: EconomicsFile, point: Point, payer: Payer) -> dict[str, Amount]:
    """Return a payer's benefit in each form that can be reckoned."""
    reckoned: Amount = 0.0
    share = world.joined["practice"]
    if payer == settings.benefit.payer and settings.year >= settings.benefit.from_year:
        whole = point["benefit.potential"] * point["benefit.realised"]
        reckoned = whole * (world.joined.get(payer, 1.0) > 0)
    benefits = {
        "none": 0.0,
        "proportional": reckoned * share,
        "threshold": reckoned * (share >= point["benefit.threshold"]),
    }
    saved = _saved(world, point, payer)
    return benefits if saved is None else {**benefits, SIMULATED: saved}


def _saved(world: World, point: Point, payer: Payer) -> Amount | None:
    """Return the value of the hours that a payer's staff saves against the baseline; None where unknown."""
    if world.before is None:
        return None
    both = [key for key in world.hours if key[0] in SAVED and key in world.before]
    if not both:
        return None
    value: Amount = 0.0
    for item, party in both:
        if PAYER_OF[party] == payer and f"hourly_cost.{party}" in point:
            hours = world.before[item, party] - world.hours[item, party]
            value = value + hours * scale(world, point) * point[f"hourly_cost.{party}"]
    return value
