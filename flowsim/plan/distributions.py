"""Probability distributions of durations: what a file says, checked and turned into kernel arrays.

Simple kinds keep a formula; the rest become quantile tables (``plan.quantiles``), which the kernel
inverts with one uniform. All durations are in hours and none is negative.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowsim.plan.quantiles import Continuous, Floats, moments_of_cells, tabulate

FIXED: Final = 0
EXPONENTIAL: Final = 1
UNIFORM: Final = 2
TRIANGULAR: Final = 3
TABLE: Final = 4
STEPS: Final = 5
LINEAR: Final = 6

#: The 0.9 quantile of the standard normal distribution.
NORMAL_P90: Final = 1.2815515655446004

#: Kinds that the kernel computes from a formula, and which parameters it gets.
FORMULAS: Final[dict[str, tuple[int, tuple[str, ...]]]] = {
    "fixed": (FIXED, ("value",)),
    "exponential": (EXPONENTIAL, ("mean",)),
    "uniform": (UNIFORM, ("low", "high")),
    "triangular": (TRIANGULAR, ("low", "mode", "high")),
}

#: Parameters that must be above 0 wherever they occur.
POSITIVE: Final = ("sd", "shape", "scale", "median", "p90")

#: One row a distribution. ``a``, ``b``, ``c`` are parameters in hours; ``offset`` is where its nodes
#: begin; ``count`` is the body cells of a table or the entries of an empirical distribution.
DISTRIBUTION_DTYPE: Final = np.dtype(
    [
        ("kind", np.int64),
        ("a", np.float64),
        ("b", np.float64),
        ("c", np.float64),
        ("offset", np.int64),
        ("count", np.int64),
        ("lower", np.int64),
        ("upper", np.int64),
    ]
)

#: The sets of parameters each kind may be given with.
PARAMETERS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "fixed": (("value",),),
    "exponential": (("mean",),),
    "uniform": (("low", "high"),),
    "triangular": (("low", "mode", "high"),),
    "lognormal": (("mean", "sd"), ("median", "p90")),
    "gamma": (("mean", "sd"),),
    "weibull": (("shape", "scale"),),
    "truncated_normal": (("mean", "sd"), ("mean", "sd", "low"), ("mean", "sd", "low", "high")),
    "empirical": ((),),
    "empirical_linear": ((),),
}


class Distributions(NamedTuple):
    """All distributions of a plan: ``dist`` (DISTRIBUTION_DTYPE) and ``quantiles`` (float64 nodes)."""

    dist: NDArray[Any]
    quantiles: Floats


class Table(NamedTuple):
    """One distribution as the kernel reads it; ``nodes`` is empty where a formula does the work."""

    kind: int
    a: float
    b: float
    c: float
    nodes: Floats
    entries: int
    lower: int
    upper: int


@dataclass(frozen=True)
class DistributionSpec:
    """What a file says about a duration: its kind and parameters, in hours.

    fixed(value), exponential(mean), uniform(low, high), triangular(low, mode, high),
    lognormal(mean, sd) or lognormal(median, p90), gamma(mean, sd), weibull(shape, scale),
    truncated_normal(mean, sd[, low[, high]]) where mean and sd are those before the cut and low is 0
    unless given, empirical (values with weights), empirical_linear (values rising; the i-th weight is
    the share between the i-th value and the next, spread evenly).
    """

    kind: str
    params: Mapping[str, float] = field(default_factory=dict)
    values: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()

    def key(self) -> tuple[object, ...]:
        """Return what makes two distributions the same one."""
        return (self.kind, tuple(sorted(self.params.items())), self.values, self.weights)

    def __str__(self) -> str:
        """Return it as it would be written, for messages."""
        inside = [f"{name}={value:g}" for name, value in self.params.items()]
        if self.values:
            inside.append(f"{len(self.values)} values")
        return f"{self.kind}({', '.join(inside)})"


class DistributionStore:
    """Collects the distributions of a plan, each once, and hands them to the kernel as two arrays."""

    def __init__(self) -> None:
        """Start with no distributions."""
        self._rows: dict[tuple[object, ...], int] = {}
        self._tables: list[Table] = []

    def add(self, spec: DistributionSpec) -> int:
        """Return the row of a distribution, adding it if it is new; raises ValueError as build_table."""
        key = spec.key()
        if key not in self._rows:
            self._tables.append(build_table(spec))
            self._rows[key] = len(self._tables) - 1
        return self._rows[key]

    def __len__(self) -> int:
        """Return how many distributions there are."""
        return len(self._tables)

    def arrays(self) -> Distributions:
        """Return all distributions so far as the two arrays that ``kernel.draws.sample`` reads."""
        dist = np.zeros(len(self._tables), DISTRIBUTION_DTYPE)
        offset = 0
        for row, table in enumerate(self._tables):
            dist[row] = (*table[:4], offset, table.entries, table.lower, table.upper)
            offset += len(table.nodes)
        # One node more, so that the array is never empty and the kernel's types stay the same.
        quantiles = np.concatenate([*(table.nodes for table in self._tables), np.zeros(1)])
        return Distributions(dist, quantiles)


def build_table(spec: DistributionSpec) -> Table:
    """Turn a distribution into what the kernel reads, hours in and hours out.

    Raises ValueError naming the distribution and what is wrong: an unknown kind, a missing or extra
    parameter, a duration that could be negative, or a table that cannot keep the mean or variance.
    """
    _check(spec)
    p = spec.params
    if spec.kind in FORMULAS:
        kind, names = FORMULAS[spec.kind]
        a, b, c = ([p[name] for name in names] + [0.0, 0.0])[:3]
        return Table(kind, a, b, c, np.zeros(0), 0, 0, 0)
    if spec.kind in ("empirical", "empirical_linear"):
        return _empirical(spec)
    table = tabulate(str(spec), _continuous(spec))
    return Table(TABLE, 0.0, 0.0, 0.0, table.nodes, table.body, table.lower, table.upper)


def moments(spec: DistributionSpec) -> tuple[float, float]:
    """Return a distribution's mean (hours) and variance (hours squared), from the textbook formulas.

    Raises ValueError as build_table does for a distribution that is not well formed.
    """
    _check(spec)
    p = spec.params
    if spec.kind == "fixed":
        mean, variance = p["value"], 0.0
    elif spec.kind == "exponential":
        mean, variance = p["mean"], p["mean"] ** 2
    elif spec.kind == "uniform":
        mean, variance = (p["low"] + p["high"]) / 2.0, (p["high"] - p["low"]) ** 2 / 12.0
    elif spec.kind == "triangular":
        low, mode, high = p["low"], p["mode"], p["high"]
        mean = (low + mode + high) / 3.0
        variance = (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18.0
    elif spec.kind in ("empirical", "empirical_linear"):
        values, weights = np.asarray(spec.values), np.asarray(spec.weights) / sum(spec.weights)
        steps = spec.kind == "empirical"
        mean, variance = moments_of_cells(
            weights, values if steps else values[:-1], values if steps else values[1:]
        )
    else:
        mean, variance = _continuous(spec)[2:]
    return mean, variance


def _check(spec: DistributionSpec) -> None:
    """Refuse a distribution that is not well formed, saying why."""
    if spec.kind not in PARAMETERS:
        raise ValueError(f"unknown distribution {spec.kind!r}; known are {', '.join(PARAMETERS)}")
    p = spec.params
    choices = PARAMETERS[spec.kind]
    if not any(set(p) == set(choice) for choice in choices):
        wanted = " or ".join(f"({', '.join(choice)})" for choice in choices)
        raise ValueError(f"{spec} needs the parameters {wanted}")
    for name, value in p.items():
        _check_number(spec, name, value)
    for smaller, larger in (("low", "mode"), ("mode", "high"), ("low", "high"), ("median", "p90")):
        # A lognormal whose 90th percentile is its median, or a normal cut to nothing, has no spread.
        strict = larger == "p90" or spec.kind == "truncated_normal"
        if smaller in p and larger in p and (p[smaller] > p[larger] or (strict and p[smaller] == p[larger])):
            raise ValueError(f"{spec}: {smaller} is not below {larger}")
    if spec.kind.startswith("empirical"):
        _check_empirical(spec)
    elif spec.values or spec.weights:
        raise ValueError(f"{spec}: only an empirical distribution has values and weights")


def _check_number(spec: DistributionSpec, name: str, value: float) -> None:
    """Refuse a parameter that makes no duration."""
    normal = spec.kind == "truncated_normal"
    if not math.isfinite(value) and not (normal and name == "high" and value == math.inf):
        raise ValueError(f"{spec}: {name} is not a finite number")
    must_exceed_zero = name in POSITIVE or (name == "mean" and spec.kind in ("lognormal", "gamma"))
    if must_exceed_zero and value <= 0.0:
        raise ValueError(f"{spec}: {name} must be above 0")
    if value < 0.0 and not (normal and name == "mean"):
        raise ValueError(f"{spec}: {name} is negative, and a duration cannot be")


def _check_empirical(spec: DistributionSpec) -> None:
    """Refuse values and weights that do not make a distribution."""
    linear = spec.kind == "empirical_linear"
    if len(spec.values) < (2 if linear else 1) or len(spec.weights) != len(spec.values) - linear:
        wanted = "two values or more and one weight fewer" if linear else "as many weights as values"
        raise ValueError(f"{spec} needs {wanted}; it has {len(spec.weights)} weights")
    if not all(math.isfinite(value) and value >= 0.0 for value in (*spec.values, *spec.weights)):
        raise ValueError(f"{spec}: every value and weight must be a number from 0 upwards")
    if sum(spec.weights) <= 0.0:
        raise ValueError(f"{spec}: the weights add up to 0")
    if linear and any(b < a for a, b in zip(spec.values, spec.values[1:], strict=False)):
        raise ValueError(f"{spec}: the values must rise")


def _empirical(spec: DistributionSpec) -> Table:
    """Lay out cumulative weights, then values, in rising order so that a larger uniform gives more."""
    values, weights = np.asarray(spec.values, np.float64), np.asarray(spec.weights, np.float64)
    if spec.kind == "empirical":
        order = np.argsort(values, kind="stable")
        values, weights = values[order], weights[order]
        values, weights = values[weights > 0.0], weights[weights > 0.0]
        kind = STEPS
    else:
        kind = LINEAR
    cumulative = np.cumsum(weights) / np.sum(weights)
    cumulative[-1] = 1.0
    return Table(kind, 0.0, 0.0, 0.0, np.concatenate([cumulative, values]), len(weights), 0, 0)


def _continuous(spec: DistributionSpec) -> Continuous:
    """Return quantile functions and moments; each tail has its own function, so that it stays exact."""
    from scipy import special  # noqa: PLC0415  (slow to load, and most runs of the program need none)

    p = spec.params
    if spec.kind == "lognormal":
        if "median" in p:
            mu, sigma = math.log(p["median"]), math.log(p["p90"] / p["median"]) / NORMAL_P90
        else:
            sigma = math.sqrt(math.log1p((p["sd"] / p["mean"]) ** 2))
            mu = math.log(p["mean"]) - sigma * sigma / 2.0
        with np.errstate(over="ignore"):
            mean = float(np.exp(mu + sigma * sigma / 2.0))
            variance = float(np.expm1(sigma * sigma)) * mean * mean
        return Continuous(
            lambda u: np.exp(mu + sigma * special.ndtri(u)),
            lambda u: np.exp(mu - sigma * special.ndtri(u)),
            mean,
            variance,
        )
    if spec.kind == "gamma":
        shape, scale = (p["mean"] / p["sd"]) ** 2, p["sd"] ** 2 / p["mean"]
        return Continuous(
            lambda u: scale * special.gammaincinv(shape, u),
            lambda u: scale * special.gammainccinv(shape, u),
            p["mean"],
            p["sd"] ** 2,
        )
    if spec.kind == "weibull":
        power, scale = 1.0 / p["shape"], p["scale"]
        first, second = float(special.gamma(1.0 + power)), float(special.gamma(1.0 + 2.0 * power))
        return Continuous(
            lambda u: np.asarray(scale * (-np.log1p(-u)) ** power),
            lambda u: np.asarray(scale * (-np.log(u)) ** power),
            scale * first,
            scale * scale * (second - first * first),
        )
    return _truncated_normal(spec)


def _truncated_normal(spec: DistributionSpec) -> Continuous:
    """Cut a normal distribution to [low, high]; moments from Johnson, Kotz and Balakrishnan (1994)."""
    from scipy import special  # noqa: PLC0415  (slow to load, and most runs of the program need none)

    mean, sd = spec.params["mean"], spec.params["sd"]
    low, high = spec.params.get("low", 0.0), spec.params.get("high", math.inf)
    # A cut far to the right of the mean is mirrored: left tail areas keep all their digits.
    sign = -1.0 if low > mean else 1.0
    a, b = sorted((sign * (low - mean) / sd, sign * (high - mean) / sd))
    area_a, area_b = float(special.ndtr(a)), float(special.ndtr(b))
    area = area_b - area_a
    if area < 1e-290:
        raise ValueError(f"{spec}: practically nothing of the normal distribution lies between low and high")
    density_a, density_b = (math.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi) for x in (a, b))
    shift = (density_a - density_b) / area
    weighted_a, weighted_b = (x * d if math.isfinite(x) else 0.0 for x, d in ((a, density_a), (b, density_b)))
    variance = sd * sd * (1.0 + (weighted_a - weighted_b) / area - shift * shift)

    def from_left(u: Floats) -> Floats:
        return np.asarray(special.ndtri(area_a + u * area))

    def from_right(u: Floats) -> Floats:
        # With the right end far out, its own tail area is the small number to start from.
        if b > 0.0:
            return np.asarray(-special.ndtri(special.ndtr(-b) + u * area))
        return np.asarray(special.ndtri(area_b - u * area))

    left, right = (from_left, from_right) if sign > 0.0 else (from_right, from_left)
    return Continuous(
        lambda u: np.clip(mean + sd * sign * left(u), low, high),
        lambda u: np.clip(mean + sd * sign * right(u), low, high),
        mean + sd * sign * shift,
        variance,
    )
