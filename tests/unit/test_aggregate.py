"""Aggregate counts: margins, small counts left out, and nothing to be worked out by subtraction."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from flowsim.errors import UsageError
from flowsim.monitor.aggregate import TOTAL, aggregate, alert_frame, suppressed
from flowsim.monitor.rules import Pattern, Rule
from flowsim.observe.directory import Directory, Unit
from flowsim.vocabulary import ALERT_SCHEMA, Fault, Party, RuleKind, Seen

Array = np.ndarray[Any, Any]


def with_margins(inner: Array) -> Array:
    """Return a table with its margins, by adding along one dimension after the other."""
    table = inner
    for axis in range(inner.ndim):
        table = np.concatenate([table, table.sum(axis=axis, keepdims=True)], axis=axis)
    return table


def hide(inner: Array, threshold: int = 5) -> tuple[Array, Array]:
    counts = with_margins(inner)
    return counts, suppressed(counts, (counts > 0) & (counts < threshold))


def known_by_brute_force(counts: Array, left_out: Array) -> list[tuple[int, ...]]:
    """Return the cells left out that have one value in all tables near this one that show the same."""
    inner = counts[tuple(slice(None, -1) for _ in counts.shape)]
    hidden = np.argwhere(left_out[tuple(slice(None, -1) for _ in counts.shape)])
    values = [range(max(1, inner[tuple(cell)] - 2), inner[tuple(cell)] + 3) for cell in hidden]
    seen: dict[tuple[int, ...], set[int]] = {tuple(cell): set() for cell in np.argwhere(left_out).tolist()}
    for choice in product(*values):
        table = inner.copy()
        table[tuple(hidden.T)] = choice
        other = with_margins(table)
        if np.array_equal(other[~left_out], counts[~left_out]):
            for cell, numbers in seen.items():
                numbers.add(int(other[cell]))
    return [cell for cell, numbers in seen.items() if len(numbers) < 2]


def known_by_programming(counts: Array, left_out: Array) -> list[tuple[int, ...]]:
    """Return the cells left out whose least and greatest possible values are the same (integer programs)."""
    inner = counts[tuple(slice(None, -1) for _ in counts.shape)]
    rows = np.array(
        [with_margins(unit.reshape(inner.shape)).ravel() for unit in np.eye(inner.size, dtype=np.int64)]
    ).T
    shown = ~left_out.ravel()
    hidden_inner = left_out[tuple(slice(None, -1) for _ in counts.shape)].ravel()
    same = LinearConstraint(rows[shown], counts.ravel()[shown], counts.ravel()[shown])
    bounds = Bounds(np.where(hidden_inner, 1, inner.ravel()), np.where(hidden_inner, 1e6, inner.ravel()))
    found = []
    for cell in np.argwhere(left_out).tolist():
        line = rows[np.ravel_multi_index(cell, counts.shape)]
        ends = []
        for sign in (1, -1):
            result = milp(sign * line, constraints=same, bounds=bounds, integrality=np.ones(inner.size))
            assert result.success, result.message
            ends.append(round(sign * result.fun))
        if ends[0] == ends[1]:
            found.append(tuple(cell))
    return found


def tables(shapes: list[tuple[int, ...]], most: int) -> st.SearchStrategy[Array]:
    def filled(shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
        size = int(np.prod(shape))
        value = st.one_of(st.just(0), st.integers(1, 6), st.integers(1, most))
        return st.lists(value, min_size=size, max_size=size).map(lambda v: np.array(v).reshape(shape))

    return st.sampled_from(shapes).flatmap(filled)


@given(tables([(1,), (4,), (1, 1), (2, 2), (2, 3), (1, 4), (1, 2, 2)], 30))
def test_no_count_left_out_can_be_worked_out_by_trying_all_tables(inner: Array) -> None:
    counts, left_out = hide(inner)
    assert (left_out | (counts == 0) | (counts >= 5)).all()
    assert not left_out[counts == 0].any()
    assert known_by_brute_force(counts, left_out) == []


@given(tables([(3, 3), (5, 4), (2, 2, 2), (3, 3, 3), (2, 2, 2, 2)], 40))
def test_no_count_left_out_is_bounded_to_one_value(inner: Array) -> None:
    counts, left_out = hide(inner)
    assert known_by_programming(counts, left_out) == []


def test_leaving_out_the_small_alone_would_not_do() -> None:
    """The two searches see what the plain way gives away."""
    counts = with_margins(np.array([[3, 10], [20, 30]]))
    small = (counts > 0) & (counts < 5)
    assert known_by_brute_force(counts, small) == [(0, 0)]
    assert known_by_programming(counts, small) == [(0, 0)]


def test_few_are_left_out_and_totals_stay_where_they_can() -> None:
    inner = np.array([[3, 50, 90], [60, 70, 80], [90, 40, 99]])
    _, left_out = hide(inner)
    assert left_out.sum() == 4 and not left_out[-1].any() and not left_out[:, -1].any()
    assert left_out[:2, :2].all()  # the cheapest square that holds the small one: 50, 60 and 70
    assert not hide(inner + 5)[1].any()


def test_a_lone_small_count_takes_its_totals_with_it() -> None:
    _, left_out = hide(np.array([[3, 0], [0, 50]]))
    assert left_out.tolist() == [[True, False, True], [False, False, False], [True, False, True]]


@given(st.integers(0, 10_000))
def test_margins_with_few_people_but_many_counts_are_safe(seed: int) -> None:
    """Counts far above the threshold are small where they are about few people; a diagonal is the worst."""
    rng = np.random.default_rng(seed)
    counts = with_margins(np.diag(rng.integers(1, 50, 11)))
    small = (counts > 0) & (rng.random(counts.shape) < 0.5)
    small[-1, -1] = True
    left_out = suppressed(counts, small)
    assert left_out[small].all() and not left_out[counts == 0].any()
    assert known_by_programming(counts, left_out) == []


def rows(cells: dict[tuple[str, str], int]) -> pd.DataFrame:
    return pd.DataFrame([key for key, n in cells.items() for _ in range(n)], columns=["rule", "party"])


def test_counts_and_margins_of_a_frame() -> None:
    cells = {("a", "gp"): 6, ("a", "hospital"): 7, ("b", "gp"): 8}
    table = aggregate(rows(cells), ["rule", "party"])
    found = dict(zip(zip(table["rule"], table["party"], strict=True), table["count"], strict=True))
    assert found == {
        **cells,
        ("a", TOTAL): 13,
        ("b", TOTAL): 8,
        (TOTAL, "gp"): 14,
        (TOTAL, "hospital"): 7,
        (TOTAL, TOTAL): 21,
    }
    assert not table["left_out"].any() and list(table) == ["rule", "party", "count", "left_out"]


def test_what_is_left_out_is_missing_and_said_to_be() -> None:
    cells = {("a", "gp"): 4, ("a", "hospital"): 70, ("b", "gp"): 80, ("b", "hospital"): 90}
    table = aggregate(rows(cells), ["rule", "party"])
    assert table["count"].isna().equals(table["left_out"])
    assert table["left_out"].sum() == 4
    assert table["count"].dropna().ge(5).all()
    assert not aggregate(rows(cells), ["rule", "party"], threshold=4)["left_out"].any()


def test_five_alerts_about_one_person_are_a_small_count() -> None:
    frame = pd.DataFrame({"rule": ["a"] * 9 + ["b"] * 6, "subject": [7] * 9 + [0] * 6})
    assert not aggregate(frame, ["rule"])["left_out"].any()
    table = aggregate(frame, ["rule"], subject="subject").set_index("rule")
    assert table["left_out"].to_dict() == {"a": True, "b": True, TOTAL: False}  # b: 15 less 6 would be 9


def test_nothing_counted_gives_an_empty_table() -> None:
    table = aggregate(rows({}), ["rule", "party"])
    assert table.empty and list(table) == ["rule", "party", "count", "left_out"]


@pytest.mark.parametrize(
    ("dimensions", "threshold", "said"),
    [(["rules"], 5, "no column to count by: rules"), ([], 5, "none was chosen"), (["rule"], 1, "2 or more")],
)
def test_a_mistake_is_told(dimensions: list[str], threshold: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        aggregate(rows({("a", "gp"): 6}), dimensions, threshold)


def test_a_table_too_large_is_refused() -> None:
    wide = pd.DataFrame({"a": range(5000), "b": range(5000)})
    with pytest.raises(UsageError, match="too large"):
        aggregate(wide, ["a", "b"])


def test_alerts_become_rows_that_can_be_counted() -> None:
    rules = [
        Rule(
            "sent", RuleKind.response, Pattern(frozenset({Seen.sent})), guess=(Fault.undelivered, Fault.late)
        ),
        Rule("alive", RuleKind.heartbeat, Pattern(frozenset({Seen.heartbeat}))),
    ]
    directory = Directory((Unit("gp-1", "GP 1", party=Party.gp), Unit("ward", "Ward", party=Party.hospital)))
    alerts = np.zeros(3, ALERT_SCHEMA)
    alerts["rule"], alerts["unit"], alerts["level"] = [0, 0, 1], [0, 1, -1], [1, 2, 1]
    alerts["raised"], alerts["subject"], alerts["message"] = [0.0, 167.9, 168.0], [11, 12, 0], [1, 1, 0]
    frame = alert_frame(alerts, rules, directory, date(2024, 1, 1))
    assert frame["rule"].tolist() == ["sent", "sent", "alive"]
    assert frame["class"].tolist() == ["undelivered", "undelivered", "unknown"]
    assert frame["unit"].tolist() == ["gp-1", "ward", "unknown"]
    assert frame["party"].tolist() == ["gp", "hospital", "other"]
    assert frame["week"].tolist() == ["2024-W01", "2024-W01", "2024-W02"]
    assert frame["level"].tolist() == ["soft", "hard", "soft"]
    assert frame["subject"].tolist() == [11, 12, 0]
    assert frame["message"].tolist()[2] == "unknown" and frame["message"][0] != "unknown"
