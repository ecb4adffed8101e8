"""The small value types that every file uses: durations, shares, distributions, sourced numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from flowsim.units import Duration, parse_duration, parse_share
from flowsim.vocabulary import Certainty


class Model(BaseModel):
    """A frozen mapping that forbids unknown keys: the base of everything a file may say."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def _duration(value: Any) -> Duration:
    return value if isinstance(value, Duration) else parse_duration(value)


def _hours_only(value: Any) -> Duration:
    duration = _duration(value)
    if duration.working_days:
        raise ValueError(f'must be a plain duration such as "3 days", not working days (got "{value}")')
    return duration


#: A length of time as text with a unit: "4 h", "2 working days", "26 weeks".
DurationField = Annotated[Duration, BeforeValidator(_duration), PlainSerializer(str)]
#: A length of time that must not be in working days.
PlainDuration = Annotated[Duration, BeforeValidator(_hours_only), PlainSerializer(str)]
#: A share from 0 to 1, written as "20 %" or 0.2.
Share = Annotated[float, BeforeValidator(parse_share)]
#: A name that other parts of the files refer to; it is the key of random draws, so keep it stable.
Identifier = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]*$", description="lower case, digits, _ and -")
]


class Basis(Model):
    """Where the numbers of a block come from and how sure they are."""

    source: str = Field(min_length=1, description="Where the number was found or who assumed it.")
    certainty: Certainty = Field(description="How sure it is: read, press, seed, derived or assumed.")


class Estimate(Model):
    """A share with its source, how sure it is, and the range over which it is varied."""

    value: Share = Field(description="The default, as a share.")
    range: tuple[Share, Share] | None = Field(default=None, description="Lowest and highest plausible value.")
    source: str = Field(default="", description="Where it comes from; empty: as the block's basis.")
    certainty: Certainty | None = Field(default=None, description="How sure; empty: as the block's basis.")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        return data if isinstance(data, dict | Estimate) else {"value": data}

    @model_validator(mode="after")
    def _inside(self) -> Estimate:
        if self.range is not None and not self.range[0] <= self.value <= self.range[1]:
            raise ValueError(
                f"value {self.value:g} lies outside its range {self.range[0]:g}-{self.range[1]:g}"
            )
        return self


class Fixed(Model):
    """Always the same length of time."""

    kind: Literal["fixed"] = "fixed"
    value: PlainDuration = Field(description="The length of time.")


class Exponential(Model):
    """Memoryless: many short, some long."""

    kind: Literal["exponential"]
    mean: PlainDuration = Field(description="The mean.")


class Uniform(Model):
    """Every length between two limits is equally likely."""

    kind: Literal["uniform"]
    low: PlainDuration = Field(description="The shortest.")
    high: PlainDuration = Field(description="The longest.")

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.low.hours > self.high.hours:
            raise ValueError(f'low ("{self.low}") must not be above high ("{self.high}")')
        return self


class Triangular(Model):
    """Between two limits with one likeliest value."""

    kind: Literal["triangular"]
    low: PlainDuration = Field(description="The shortest.")
    mode: PlainDuration = Field(description="The likeliest.")
    high: PlainDuration = Field(description="The longest.")

    @model_validator(mode="after")
    def _ordered(self) -> Triangular:
        if not self.low.hours <= self.mode.hours <= self.high.hours or self.low.hours == self.high.hours:
            raise ValueError(f'must rise: low "{self.low}", mode "{self.mode}", high "{self.high}"')
        return self


class Lognormal(Model):
    """Skewed with a long tail; give mean and sd, or median and p90."""

    kind: Literal["lognormal"]
    mean: PlainDuration | None = Field(default=None, description="The mean (with sd).")
    sd: PlainDuration | None = Field(default=None, description="The standard deviation (with mean).")
    median: PlainDuration | None = Field(default=None, description="The median (with p90).")
    p90: PlainDuration | None = Field(default=None, description="Nine in ten are shorter (with median).")

    @model_validator(mode="after")
    def _one_pair(self) -> Lognormal:
        moments = self.mean is not None and self.sd is not None
        quantiles = self.median is not None and self.p90 is not None
        given = sum(x is not None for x in (self.mean, self.sd, self.median, self.p90))
        if given != 2 or not (moments or quantiles):
            raise ValueError("needs either mean and sd, or median and p90")
        if self.median is not None and self.p90 is not None and self.median.hours >= self.p90.hours:
            raise ValueError(f'p90 ("{self.p90}") must be above the median ("{self.median}")')
        return self


class Gamma(Model):
    """Skewed with a moderate tail."""

    kind: Literal["gamma"]
    mean: PlainDuration = Field(description="The mean.")
    sd: PlainDuration = Field(description="The standard deviation.")


class Weibull(Model):
    """Rising (shape above 1) or falling hazard."""

    kind: Literal["weibull"]
    shape: float = Field(gt=0, description="Above 1: ends get likelier with time.")
    scale: PlainDuration = Field(description="63 % are shorter than this.")


class TruncatedNormal(Model):
    """A bell curve cut at two limits."""

    kind: Literal["truncated_normal"]
    mean: PlainDuration = Field(description="The centre before cutting.")
    sd: PlainDuration = Field(description="The spread before cutting.")
    low: PlainDuration = Field(default=Duration(0.0, 0.0), description="The shortest.")
    high: PlainDuration = Field(default=Duration(87600.0, 0.0), description="The longest.")


class Empirical(Model):
    """A table of observed lengths with weights."""

    kind: Literal["empirical"]
    values: tuple[PlainDuration, ...] = Field(min_length=1, description="The lengths of time.")
    weights: tuple[float, ...] = Field(default=(), description="One weight a value; none: all equal.")

    @model_validator(mode="after")
    def _weights(self) -> Empirical:
        if self.weights and len(self.weights) != len(self.values):
            raise ValueError(f"has {len(self.values)} values but {len(self.weights)} weights")
        if any(w < 0 for w in self.weights) or (self.weights and sum(self.weights) <= 0):
            raise ValueError("weights must not be negative and must not all be 0")
        return self


AnyDistribution = (
    Fixed | Exponential | Uniform | Triangular | Lognormal | Gamma | Weibull | TruncatedNormal | Empirical
)


def _distribution(value: Any) -> Any:
    """Take a plain duration ("4 h") as a fixed length of time."""
    if isinstance(value, str | int | float | Duration):
        return {"kind": "fixed", "value": value}
    return value


#: A distribution of lengths of time; a plain duration is a fixed one.
Distribution = Annotated[
    Annotated[AnyDistribution, Field(discriminator="kind")], BeforeValidator(_distribution)
]


def shares_sum_to_one(shares: Sequence[float], what: str) -> None:
    """Raise ValueError unless shares add up to 1 (to 0.1 %)."""
    if abs(sum(shares) - 1.0) > 1e-3:
        raise ValueError(f"{what} must add up to 100 % (they add up to {100 * sum(shares):.4g} %)")
