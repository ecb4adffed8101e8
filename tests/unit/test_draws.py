"""Draws are addressed, match the published generator, and do not depend on how the code is run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowsim.kernel import draws

ONES = 0xFFFFFFFF

#: Random123 known-answer vectors for philox4x32-10: counter, key, result (Salmon et al. 2011).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]

#: Prints a digest of every kernel function's results over a grid of arguments; run compiled and plain.
EVERYTHING = """
import hashlib, random, struct, sys
from datetime import date
from flowsim.kernel import calendars as kc, draws
from flowsim.plan import calendars as pc
from flowsim.plan.distributions import DistributionSpec as D, DistributionStore
out = hashlib.sha256()
lots = random.Random(5)
put = lambda *values: out.update(struct.pack(f"{len(values)}d", *values))
store = DistributionStore()
for spec in (
    D("fixed", {"value": 2.5}), D("exponential", {"mean": 3.7}), D("uniform", {"low": 0.3, "high": 9.1}),
    D("triangular", {"low": 0.3, "mode": 1.1, "high": 9.1}), D("lognormal", {"median": 24.0, "p90": 90.0}),
    D("gamma", {"mean": 3.0, "sd": 2.0}), D("weibull", {"shape": 0.7, "scale": 5.0}),
    D("truncated_normal", {"mean": 3.0, "sd": 2.0}), D("empirical", {}, (1.0, 2.5, 7.0), (1.0, 3.0, 0.5)),
    D("empirical_linear", {}, (1.0, 2.5, 7.0), (1.0, 3.0)),
):
    store.add(spec)
tables = store.arrays()
edges = [2.0**-33, 2.0**-32, 1.5 * 2.0**-32, 1 / 16, 0.5, 15 / 16, 1 - 2.0**-32, 1 - 2.0**-33]
for n in range(1000):
    us = draws.uniforms(2024, n % 7, lots.getrandbits(32), n, draws.place_purpose(n * 97, n % 23),
                        draws.visit_attempt(n % 5, n % 3, n % 11))
    put(*us)
    for row in range(len(store)):
        put(draws.sample(tables, row, edges[n] if n < len(edges) else us[row % 4]))
start = date(2024, 2, 27)
holidays = pc.day_indices(start, pc.norwegian_holidays(start, 400))
shops = pc.CalendarStore(start, 90, holidays, margin_days=30)
for spec in (
    pc.ALWAYS_OPEN, pc.OFFICE_HOURS, pc.CalendarSpec("rhythm", every_hours=7.3, phase_hours=2.1),
    pc.CalendarSpec("weekly", ((0, 20.0, 30.5), (2, 8.0, 11.25), (2, 12.0, 15.1)), on_holidays=2),
    pc.CalendarSpec("never"),
):
    shops.add(spec)
calendars = shops.arrays()
profiles = pc.ProfileStore(start, 90, holidays)
profiles.add(pc.ProfileSpec(tuple(lots.random() for _ in range(168))))
hours = profiles.arrays().hour_cumulative
for n in range(1000):
    t = lots.uniform(0.0, 121.0 * 24.0) if n % 3 else 0.5 * n
    w = lots.uniform(0.0, 60.0)
    for c in range(len(shops)):
        put(kc.is_open(calendars, c, t), kc.next_open(calendars, c, t), kc.next_close(calendars, c, t),
            kc.working_hours(calendars, c, t), kc.at_working_hours(calendars, c, w),
            kc.add_working_hours(calendars, c, t, w))
    put(kc.time_in_day(hours, 0, n % 7, lots.random()))
print(out.hexdigest(), type(draws.philox).__name__)
"""


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_gives_the_published_words(
    counter: tuple[int, ...], key: tuple[int, ...], words: tuple[int, ...]
) -> None:
    assert draws.philox(*key, *counter) == words


def test_compiled_and_plain_python_give_the_same_bytes() -> None:
    found = {}
    for plain in ("0", "1"):
        env = os.environ | {"NUMBA_DISABLE_JIT": plain, "PYTHONPATH": str(Path(__file__).parents[2])}
        run = subprocess.run(
            [sys.executable, "-W", "error::RuntimeWarning", "-c", EVERYTHING],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        found[plain] = run.stdout.split()
    assert found["0"][0] == found["1"][0]
    # Were one of them not what it says, the comparison would be empty.
    assert (found["0"][1], found["1"][1]) == ("CPUDispatcher", "function")


def test_uniforms_are_the_words_moved_inside_the_unit_interval() -> None:
    words = draws.philox(1, 2, 3, 4, 5, 6)
    assert draws.uniforms(1, 2, 3, 4, 5, 6) == tuple((word + 0.5) / 2**32 for word in words)
    assert (0 + 0.5) / 2**32 > 0.0
    assert (ONES + 0.5) / 2**32 < 1.0


def test_every_word_of_an_address_changes_the_draw() -> None:
    base = (2024, 1, 77, 5, draws.place_purpose(9, 4), draws.visit_attempt(1, 0, 1))
    others = [tuple(value + (i == place) for i, value in enumerate(base)) for place in range(6)]
    results = {draws.uniforms(*address) for address in [base, *others]}
    assert len(results) == 7
    assert draws.uniforms(*base) == draws.uniforms(*base)


def test_place_and_purpose_never_share_bits() -> None:
    assert draws.place_purpose(0xABCDEF, 0x12) == 0xABCDEF12
    codes = {draws.place_purpose(place, purpose) for place in range(300) for purpose in range(23)}
    assert len(codes) == 300 * 23


def test_visit_copy_and_attempt_never_share_bits() -> None:
    assert draws.visit_attempt(0xABCD, 0xEF, 0x12) == 0xABCDEF12
    codes = {draws.visit_attempt(v, c, a) for v in range(300) for c in range(12) for a in range(12)}
    assert len(codes) == 300 * 12 * 12


def test_consecutive_cases_draw_uniform_and_unrelated_numbers() -> None:
    drawn = np.array([draws.uniforms(2024, 1, 77, n, draws.place_purpose(9, 4), 0) for n in range(20_000)])
    # Four standard errors, for means, for shares of each tenth, and for correlations of neighbours.
    assert np.abs(drawn.mean(axis=0) - 0.5).max() < 4 * np.sqrt(1 / 12 / 20_000)
    shares = np.array([np.histogram(column, 10, (0, 1))[0] / 20_000 for column in drawn.T])
    assert np.abs(shares - 0.1).max() < 4 * np.sqrt(0.09 / 20_000)
    among_words = np.corrcoef(drawn.T)[np.triu_indices(4, 1)]
    along_cases = [np.corrcoef(column[1:], column[:-1])[0, 1] for column in drawn.T]
    assert np.abs([*among_words, *along_cases]).max() < 4 / np.sqrt(20_000)
