"""Limits of the monitor's rules: how long is too long, softly and hard, each with its source."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from flowsim.config.starts import UrgencyName
from flowsim.config.values import DurationField, Model
from flowsim.units import HOURS_PER_DAY, Duration
from flowsim.vocabulary import Certainty


class Limit(Model):
    """A limit in plain or working time, with its source, how sure it is, and its range."""

    value: DurationField = Field(description='How long, such as "4 h" or "2 working days".')
    range: tuple[DurationField, DurationField] | None = Field(
        default=None, description="Shortest and longest that make sense."
    )
    source: str = Field(default="", description="Where it comes from; empty: as the rule's basis.")
    certainty: Certainty | None = Field(default=None, description="How sure; empty: as the rule's basis.")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        return data if isinstance(data, dict | Limit) else {"value": data}

    @model_validator(mode="after")
    def _possible(self) -> Limit:
        if not self.value:
            raise ValueError("must be longer than nothing: nothing can be in time for it")
        if self.range is not None:
            low, high = self.range
            # Which of hours and working days is longer depends on the day, so a range keeps to one kind.
            if len({bool(each.working_days) for each in (low, self.value, high) if each}) > 1:
                raise ValueError("has a range in another kind of days than its value")
            if not low <= self.value <= high:
                raise ValueError(f'lies outside its range: "{self.value}", range "{low}" to "{high}"')
        return self


class SoftAndHard(Model):
    """A soft limit (look at it when there is time), a hard one (act), or both."""

    soft: Limit | None = Field(default=None, description="After this an alert is raised to be looked at.")
    hard: Limit | None = Field(default=None, description="After this an alert is raised to be acted on.")

    @model_validator(mode="after")
    def _rising(self) -> SoftAndHard:
        if self.soft is not None and self.hard is not None:
            _rise(self.soft.value, self.hard.value)
        return self


def _rise(soft: Duration, hard: Duration) -> None:
    """Raise ValueError unless the hard limit is longer than the soft one on any day."""
    if soft.working_days and hard.hours:
        raise ValueError(f'needs hard in working days too, as soft is (soft "{soft}", hard "{hard}")')
    # A working day takes at least 24 hours.
    least = hard.hours or hard.working_days * HOURS_PER_DAY
    shorter = hard <= soft if soft.working_days else least <= soft.hours
    if shorter:
        raise ValueError(f'has a hard limit ("{hard}") that is not longer than its soft one ("{soft}")')


class ByUrgency(SoftAndHard):
    """Limits, the same for all or by urgency."""

    by_urgency: dict[UrgencyName, SoftAndHard] = Field(
        default_factory=dict,
        description="Limits by urgency instead; urgencies that are not named are not judged.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> ByUrgency:
        if self.by_urgency and (self.soft or self.hard):
            raise ValueError("has limits for all and by_urgency; give one")
        pairs = self.by_urgency.values() if self.by_urgency else (self,)
        if not all(pair.soft or pair.hard for pair in pairs):
            raise ValueError("needs a limit: soft, hard or both")
        return self
