"""Random draws by address: what a draw is for decides its value, never when it is made.

Philox-4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3")
in signed 64-bit arithmetic: products wrap in the compiled form and grow in the plain one, and the
masks bring both to the same 32-bit words.
"""

from __future__ import annotations

import math

from flowsim.kernel.compiling import compiled, hot
from flowsim.plan.distributions import (
    EXPONENTIAL,
    FIXED,
    LINEAR,
    TABLE,
    TRIANGULAR,
    UNIFORM,
    Distributions,
)
from flowsim.plan.quantiles import OCTAVES, TAIL, Floats

MASK = 0xFFFFFFFF
MULTIPLIER_0 = 0xD2511F53
MULTIPLIER_1 = 0xCD9E8D57
WEYL_0 = 0x9E3779B9
WEYL_1 = 0xBB67AE85
TO_UNIT = 2.0**-32
SPAN = 1.0 - 2.0 * TAIL
BEYOND = 2.0**-32


@hot
def philox(k0: int, k1: int, c0: int, c1: int, c2: int, c3: int) -> tuple[int, int, int, int]:
    """Return four random 32-bit words for a key of two words and a counter of four (Philox-4x32-10).

    Every argument is read as its lowest 32 bits. Salmon et al. (2011).
    """
    x0, x1, x2, x3 = int(c0) & MASK, int(c1) & MASK, int(c2) & MASK, int(c3) & MASK
    y0, y1 = int(k0) & MASK, int(k1) & MASK
    for _ in range(10):
        p0 = MULTIPLIER_0 * x0
        p1 = MULTIPLIER_1 * x2
        x0 = ((p1 >> 32) & MASK) ^ x1 ^ y0
        x2 = ((p0 >> 32) & MASK) ^ x3 ^ y1
        x1 = p1 & MASK
        x3 = p0 & MASK
        y0 = (y0 + WEYL_0) & MASK
        y1 = (y1 + WEYL_1) & MASK
    return x0, x1, x2, x3


@hot
def uniforms(
    k0: int, k1: int, family: int, n: int, place_purpose: int, visit_attempt: int
) -> tuple[float, float, float, float]:
    """Return four uniforms strictly between 0 and 1 for one address; the key is (seed, replication).

    A 32-bit word w becomes (w + 0.5) / 2**32, which is exact in a double.
    """
    w0, w1, w2, w3 = philox(k0, k1, family, n, place_purpose, visit_attempt)
    return (w0 + 0.5) * TO_UNIT, (w1 + 0.5) * TO_UNIT, (w2 + 0.5) * TO_UNIT, (w3 + 0.5) * TO_UNIT


@hot
def place_purpose(place: int, purpose: int) -> int:
    """Return the third word of an address: a place of 24 bits and a purpose (vocabulary.Purpose) of 8."""
    return ((int(place) & 0xFFFFFF) << 8) | (int(purpose) & 0xFF)


@hot
def visit_attempt(visit: int, copy: int, attempt: int) -> int:
    """Return the fourth word of an address: visit (16 bits), copy (8 bits) and attempt (8 bits)."""
    return ((int(visit) & 0xFFFF) << 16) | ((int(copy) & 0xFF) << 8) | (int(attempt) & 0xFF)


@hot
def sample(tables: Distributions, row: int, u: float) -> float:
    """Return the duration in hours that a uniform 0 < u < 1 stands for in one distribution.

    It rises with u in every kind, and is never negative (``plan.distributions`` sees to it).
    """
    spec = tables.dist[row]
    kind = int(spec["kind"])
    if kind == TABLE:
        lower, upper = int(spec["lower"]), int(spec["upper"])
        return _from_table(tables.quantiles, int(spec["offset"]), int(spec["count"]), lower, upper, u)
    a = float(spec["a"])
    if kind == FIXED:
        return a
    if kind == EXPONENTIAL:
        # 1 - u is exact, and keeps the draw rising with u.
        return -a * math.log(1.0 - u)
    b = float(spec["b"])
    if kind == UNIFORM:
        return a + (b - a) * u
    if kind == TRIANGULAR:
        return _triangular(a, b, float(spec["c"]), u)
    return _from_weights(tables.quantiles, kind, int(spec["offset"]), int(spec["count"]), u)


@compiled
def _from_table(quantiles: Floats, offset: int, body: int, lower: int, upper: int, u: float) -> float:
    """Interpolate in a quantile table; layout in ``plan.distributions``."""
    if u < TAIL:
        return _from_tail(quantiles, offset + body + 1, lower, u)
    if u > 1.0 - TAIL:
        return _from_tail(quantiles, offset + body + 1 + OCTAVES * lower + 2, upper, 1.0 - u)
    # Cells are a power of two wide, so the place is exact; u = 1 - TAIL belongs to the last cell.
    place = (u - TAIL) * (body / SPAN)
    cell = min(int(place), body - 1)
    low = float(quantiles[offset + cell])
    high = float(quantiles[offset + cell + 1])
    return low + (high - low) * (place - cell)


@compiled
def _from_tail(quantiles: Floats, start: int, cells: int, u: float) -> float:
    """Interpolate in a tail: the octave is the exponent of u, the cell within it the mantissa."""
    if u < BEYOND:
        return float(quantiles[start + OCTAVES * cells + 1])
    mantissa, exponent = math.frexp(u)
    place = (2.0 * mantissa - 1.0) * cells
    cell = int(place)
    node = start + (int(exponent) + 31) * cells + cell
    low = float(quantiles[node])
    high = float(quantiles[node + 1])
    return low + (high - low) * (place - cell)


@compiled
def _triangular(low: float, mode: float, high: float, u: float) -> float:
    """Invert a triangular distribution."""
    width = high - low
    if width <= 0.0:
        return low
    if u * width < mode - low:
        return low + math.sqrt(u * width * (mode - low))
    return high - math.sqrt((1.0 - u) * width * (high - mode))


@compiled
def _from_weights(quantiles: Floats, kind: int, offset: int, count: int, u: float) -> float:
    """Find the first entry whose cumulative weight exceeds u; its value, or a place along its interval."""
    first = 0
    last = count - 1
    while first < last:
        middle = (first + last) // 2
        if float(quantiles[offset + middle]) > u:
            last = middle
        else:
            first = middle + 1
    low = float(quantiles[offset + count + first])
    if kind != LINEAR:
        return low
    below = float(quantiles[offset + first - 1]) if first > 0 else 0.0
    share = (u - below) / (float(quantiles[offset + first]) - below)
    return low + (float(quantiles[offset + count + first + 1]) - low) * share
