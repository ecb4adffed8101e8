"""Luck by hash: it depends on the row of a log and the seed of the file, and on nothing else."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowsim.vocabulary import message_keys

_STEP: Final = 0x9E3779B97F4A7C15
_WORDS: Final = 2.0**63


def hashes(seed: int, purpose: int, *values: Any) -> NDArray[np.int64]:
    """Return a 63-bit number, never 0, for each place of the given arrays of whole numbers.

    ``message_keys`` (the finaliser of splitmix64) over seed and purpose, then over each value in turn.
    """
    z = message_keys(np.array([seed & 0x7FFFFFFFFFFFFFFF]), np.array([purpose + 1]))
    for value in values:
        z = message_keys(z, np.asarray(value).astype(np.int64).ravel())
    return np.asarray(z, np.int64)


def chances(seed: int, purpose: int, *values: Any) -> NDArray[np.float64]:
    """Return a number in (0, 1] for each place of the given arrays: the hash as a share."""
    return hashes(seed, purpose, *values) / _WORDS


def two_chances(seed: int, purpose: int, *values: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two numbers in [0, 1) for each place, from the upper and the lower bits of one hash."""
    found = hashes(seed, purpose, *values)
    return (found >> 31) / 2.0**32, (found & 0x7FFFFFFF) / 2.0**31
