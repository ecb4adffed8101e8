"""Does stopping when precise enough keep what an interval promises? Normal data with a known mean, as JSON.

Run ``python -m benchmarks.stopping``. Each study draws replications of paired differences (mean 0, standard
deviation 1) and stops by :func:`flowsim.statistics.enough`; then it is looked at whether the 95 % interval of
what would be reported holds the 0. Two counts can be reported: n, where the rule says enough, and n + step,
which have been run by then and are what flowsim reports.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from flowsim.statistics import critical_t, enough, prefix_half_widths

#: Rules that are tried: (at_least, step, comparisons, half width in standard deviations).
RULES: Final = tuple(
    (at_least, step, comparisons, width)
    for at_least, step in ((5, 5), (10, 5))
    for comparisons in (1, 5)
    for width in (0.8, 0.6, 0.4, 0.3)
)
STUDIES: Final = 4000
AT_MOST: Final = 150


def coverage(
    at_least: int, step: int, comparisons: int, width: float, studies: int = STUDIES, seed: int = 1
) -> dict[str, Any]:
    """Return how often the interval at the stop holds the true mean, for both counts.

    ``comparisons`` differences are independent, and all must be precise; what is looked at is the first.
    Also the mean number of replications at the stop, and in how many studies ``AT_MOST`` were not enough.
    """
    generator = np.random.default_rng([seed, at_least, step, comparisons, round(1000 * width)])
    held, held_reported, stops, open_ended = 0, 0, [], 0
    for _ in range(studies):
        data = generator.normal(size=(AT_MOST, comparisons))
        n = enough(data, width, at_least, step)
        if n is None:
            open_ended += 1
            continue
        half = prefix_half_widths(data[: n + step, 0])[:, 0]
        held += abs(data[:n, 0].mean()) <= half[n - 1]
        held_reported += abs(data[: n + step, 0].mean()) <= half[n + step - 1]
        stops.append(n)
    stopped = len(stops)
    return {
        "at_least": at_least,
        "step": step,
        "comparisons": comparisons,
        "half_width": width,
        "studies": stopped,
        "not_enough": open_ended,
        "mean_replications": round(float(np.mean(stops)), 1),
        "coverage_at_n": round(held / stopped, 4),
        "coverage_reported": round(held_reported / stopped, 4),
        "fixed_n_would_need": _fixed(width),
    }


def _fixed(width: float) -> int:
    """Return how many replications give the half width in the mean where the deviation is known to be 1."""
    n = 2
    while float(critical_t(n)) / n**0.5 > width:
        n += 1
    return n


def main() -> None:
    """Print the coverage of each rule."""
    print(json.dumps([coverage(*rule) for rule in RULES], indent=1))


if __name__ == "__main__":
    main()
