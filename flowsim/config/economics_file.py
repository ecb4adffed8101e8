"""What an economics file may say: amounts, prices and the form of the benefit, each with its range.

It changes no simulation. Who pays: ``municipality``, ``hospital_trust``, ``practice`` (doctors' offices, and
contract specialists with them) and ``state``. All amounts hold for ``inhabitants``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from flowsim.config.values import Basis, Estimate, Model
from flowsim.units import money_text, parse_money
from flowsim.vocabulary import Certainty

Payer = Literal["municipality", "hospital_trust", "practice", "state"]
#: Whose time has a price: the parties whose hours are measured.
StaffParty = Literal["gp", "hospital", "municipality", "specialist"]

#: An amount as text with a unit, from 0: "650 NOK", "80 MNOK", "6.7 billion NOK".
MoneyField = Annotated[float, BeforeValidator(parse_money), PlainSerializer(money_text)]
Positive = Annotated[float, Field(gt=0)]


def _check_range(
    value: float | None, limits: tuple[float, float] | None, text: Callable[[float], str] = money_text
) -> None:
    """Raise ValueError unless a range rises and holds the value; ``text`` is how numbers are written."""
    if limits is None:
        return
    low, high = limits
    if low > high:
        raise ValueError(f"has a range whose low ({text(low)}) is above its high ({text(high)})")
    if value is not None and not low <= value <= high:
        raise ValueError(f"has a value ({text(value)}) outside its range, {text(low)} to {text(high)}")


class Money(Model):
    """An amount with its source, how sure it is, and the range over which it is varied."""

    value: MoneyField = Field(description="The default.")
    range: tuple[MoneyField, MoneyField] | None = Field(
        default=None, description="Lowest and highest plausible amount; none: not varied."
    )
    source: str = Field(default="", description="Where it comes from; empty: as the file's basis.")
    certainty: Certainty | None = Field(default=None, description="How sure; empty: as the file's basis.")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        return data if isinstance(data, dict | Money) else {"value": data}

    @model_validator(mode="after")
    def _inside(self) -> Money:
        _check_range(self.value, self.range)
        return self


class Number(Model):
    """A number above 0 with its source, how sure it is, and the range over which it is varied."""

    value: Positive = Field(description="The default.")
    range: tuple[Positive, Positive] | None = Field(
        default=None, description="Lowest and highest plausible value; none: not varied."
    )
    source: str = Field(default="", description="Where it comes from; empty: as the file's basis.")
    certainty: Certainty | None = Field(default=None, description="How sure; empty: as the file's basis.")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        return data if isinstance(data, dict | Number) else {"value": data}

    @model_validator(mode="after")
    def _inside(self) -> Number:
        _check_range(self.value, self.range, "{:g}".format)
        return self


class UnknownCost(Model):
    """A cost that nobody has stated: it has a range and no value, and is never shown as one."""

    range: tuple[MoneyField, MoneyField] = Field(description="Lowest and highest plausible amount.")
    source: str = Field(default="", description="Why this range; empty: as the file's basis.")
    certainty: Certainty | None = Field(default=None, description="How sure; empty: as the file's basis.")

    @model_validator(mode="before")
    @classmethod
    def _no_value(cls, data: Any) -> Any:
        if isinstance(data, dict) and "value" in data:
            raise ValueError("must have no value: nobody has stated this cost; give a range only")
        return data

    @model_validator(mode="after")
    def _inside(self) -> UnknownCost:
        _check_range(None, self.range)
        return self


class CostByJoining(Model):
    """How the operating cost of one actor moves with how many share its fixed part."""

    fixed_share: Estimate = Field(
        description="Part of the operating cost that is a share of a fixed cost common to all who joined."
    )
    reckoned_for: Number = Field(description="Actors that shared it where the operating cost was reckoned.")
    actors: Number = Field(description="Actors that share it here.")
    possible: Number = Field(description="Actors that there are.")
    target: MoneyField = Field(description="Cost per actor and year whose number of actors is asked for.")

    @model_validator(mode="after")
    def _possible(self) -> CostByJoining:
        for name in ("reckoned_for", "actors"):
            number: Number = getattr(self, name)
            if max(number.value, *(number.range or (0, 0))) > self.possible.value:
                raise ValueError(f"has {name} above possible ({self.possible.value:g})")
        return self


class Introduction(Model):
    """What preparation, development and introduction have cost, and who carries it."""

    total: Money = Field(description="For the whole region.")
    region_inhabitants: Number = Field(description="Inhabitants of that region.")
    key: Literal["inhabitants"] = Field(description="How it is shared between places: by inhabitants.")
    years: Number = Field(description="Years over which it is spread, the same each year, without interest.")
    shares: dict[Payer, Estimate] = Field(description="Share of each payer in a place, but for the rest.")
    rest: Payer = Field(description="Who carries what is left.")
    in_operating_cost: dict[Payer, Estimate] = Field(
        default_factory=dict,
        description="Share of a payer's part that its operating cost, with capital cost, holds already.",
    )

    @model_validator(mode="after")
    def _add_up(self) -> Introduction:
        if self.rest in self.shares:
            raise ValueError(f"has a share for {self.rest}, who carries the rest; take one out")
        if sum(max(e.value, *(e.range or (0, 0))) for e in self.shares.values()) > 1 + 1e-9:
            raise ValueError("has shares that may add up to more than 100 %")
        return self


class Benefit(Model):
    """The benefit that was reckoned, and how much of it may be had."""

    payer: Payer = Field(description="Whose benefit it is.")
    potential: Money = Field(description="All of it, a year.")
    from_year: int = Field(description="The first year in which it is taken out.")
    realised: Estimate = Field(description="The share of it that is had with all practices on the platform.")
    threshold: Estimate = Field(
        description="Form threshold: share of practices on the platform below which there is none."
    )


class WaitingDay(Model):
    """The price of a day on which a discharge-ready patient waits: a transfer, no cost to society."""

    prices: dict[int, Money] = Field(min_length=1, description="By year; the last year not after the file's.")
    pays: Payer = Field(description="Who pays.")
    receives: Payer = Field(description="Who is paid.")

    @model_validator(mode="after")
    def _two(self) -> WaitingDay:
        if self.pays == self.receives:
            raise ValueError(f"has {self.pays} paying itself")
        return self


class Draws(Model):
    """How many sets of assumptions are drawn, each number evenly over its range."""

    number: int = Field(default=10_000, ge=1, le=1_000_000, description="Sets of assumptions.")
    seed: int = Field(default=1, ge=0, lt=2**32, description="The key of these draws and of nothing else.")


class EconomicsFile(Model):
    """Amounts, prices and the form of the benefit, for a municipality and what goes with it."""

    basis: Basis = Field(description="Where the numbers come from that do not say so themselves.")
    year: int = Field(description="The year that the table is about: decides prices and benefit.")
    inhabitants: Number = Field(
        description="Inhabitants for whom the amounts hold; simulated hours and days are scaled to them."
    )
    operating_cost: dict[Payer, Money] = Field(
        description="Of the platform, a year, capital cost included, for a payer that has joined."
    )
    legacy_cost: dict[Payer, UnknownCost] = Field(
        description="Of the earlier systems, a year, for a payer that has not joined: not known."
    )
    joining: CostByJoining = Field(description="Cost by how many join.")
    introduction: Introduction = Field(description="Preparation, development and introduction.")
    benefit: Benefit = Field(description="The benefit that was reckoned.")
    waiting_day: WaitingDay = Field(description="The price of a waiting day.")
    hourly_cost: dict[StaffParty, Money] = Field(description="Of an hour of staff.")
    draws: Draws = Field(default=Draws(), description="Draws of the assumptions.")

    @model_validator(mode="after")
    def _whole(self) -> EconomicsFile:
        one_sided = sorted(set(self.operating_cost) ^ set(self.legacy_cost))
        if one_sided:
            raise ValueError(
                f"has an operating_cost without a legacy_cost, or the other way round: {_list(one_sided)}"
            )
        if min(self.waiting_day.prices) > self.year:
            raise ValueError(f"has no price of a waiting day for {self.year} or before")
        return self


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)
