"""Durations, shares, numbers for people, the clock and working days."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.errors import (
    Fault,
    FaultsInFile,
    FlowsimError,
    Interrupted,
    OutputConflict,
    RunFailed,
    UsageError,
    did_you_mean,
    legal_list,
    nearest,
)
from flowsim.units import (
    MINUS,
    THIN_SPACE,
    Clock,
    Duration,
    WorkingDays,
    format_duration,
    format_number,
    format_share,
    parse_duration,
    parse_share,
)

EASTER_2024 = [date(2024, 3, 28), date(2024, 3, 29), date(2024, 4, 1)]
MONDAY = date(2024, 3, 25)


@pytest.mark.parametrize(
    ("text", "hours", "working_days"),
    [
        ("4 h", 4, 0),
        ("4h", 4, 0),
        ("1.5 hours", 1.5, 0),
        ("30 min", 0.5, 0),
        ("90 s", 0.025, 0),
        ("3 days", 72, 0),
        ("26 weeks", 4368, 0),
        ("1 year", 8760, 0),
        ("0 h", 0, 0),
        ("-0 h", 0, 0),
        ("1e2 h", 100, 0),
        ("2 working days", 0, 2),
        (" 1  working   day ", 0, 1),
        ("0.5 working days", 0, 0.5),
    ],
)
def test_a_duration_is_read_from_text(text: str, hours: float, working_days: float) -> None:
    assert parse_duration(text) == Duration(hours, working_days)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (4, 'must be a duration such as "4 h" (got 4)'),
        (True, 'must be a duration such as "4 h" (got true)'),
        (None, 'must be a duration such as "4 h" (got nothing)'),
        ("4", 'must have a unit (got "4"); for example "4 h"'),
        ("-3 days", 'must not be negative (got "-3 days"); for example'),
        ("3 dayz", 'must have a known unit (got "3 dayz"). Did you mean \'day'),
        ("4 parsecs", "Known here: 's', 'min', 'h'"),
        ("1,5 h", 'must have a decimal point, not a comma (got "1,5 h")'),
        ("2 months", 'must not be in months, whose length varies (got "2 months"); for example "30 days"'),
        ("soon", 'must be a duration with a number and a unit (got "soon")'),
        ("1e400 h", "must not be so large"),
        ("nan h", "must be a duration with a number"),
    ],
)
def test_what_is_no_duration_is_refused_with_a_sentence_and_an_example(value: object, sentence: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        parse_duration(value)
    assert sentence in str(caught.value)


@given(st.floats(0, 1e9), st.booleans())
def test_a_duration_written_and_read_again_is_the_same(amount: float, in_working_days: bool) -> None:
    duration = Duration(working_days=amount) if in_working_days else Duration(hours=amount)
    assert parse_duration(str(duration)) == duration


@given(st.integers(0, 10_000), st.sampled_from(["s", "min", "h", "days", "weeks", "working days"]))
def test_whole_numbers_of_any_unit_survive_a_round_trip(count: int, unit: str) -> None:
    duration = parse_duration(f"{count} {unit}")
    assert parse_duration(str(duration)) == duration


@pytest.mark.parametrize("text", ["1 week", "26 weeks", "1 day", "3 days", "4 h", "30 min", "1 working day"])
def test_a_duration_is_written_as_people_write_it(text: str) -> None:
    assert str(parse_duration(text)) == text


def test_durations_compare_within_their_kind_only() -> None:
    assert parse_duration("23 h") < parse_duration("1 day") <= parse_duration("24 h")
    assert parse_duration("1 working day") < parse_duration("2 working days")
    assert not parse_duration("0 h")
    assert parse_duration("0 h") < parse_duration("1 working day")
    with pytest.raises(ValueError, match="same kind of days"):
        assert parse_duration("30 h") < parse_duration("2 working days")


def test_a_duration_is_never_both_kinds_nor_negative() -> None:
    with pytest.raises(ValueError, match="not both"):
        Duration(1, 1)
    with pytest.raises(ValueError, match="not negative"):
        Duration(-1)
    with pytest.raises(ValueError, match="finite"):
        Duration(float("nan"))


@pytest.mark.parametrize(
    ("value", "share"),
    [
        ("20 %", 0.2),
        ("20%", 0.2),
        ("0.15 %", 0.0015),
        (0.2, 0.2),
        ("0.2", 0.2),
        (0, 0.0),
        (1, 1.0),
        ("100 %", 1),
    ],
)
def test_a_share_is_read_to_the_last_bit(value: object, share: float) -> None:
    assert parse_share(value) == share


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (20, 'must lie between 0 and 1, or 0 % and 100 % (got 20); did you mean "20 %"?'),
        ("120 %", "must lie between 0 and 1"),
        (-0.1, "must lie between 0 and 1"),
        (float("nan"), "must lie between 0 and 1"),
        ("-1 %", "must not be negative"),
        ("0,15 %", "must have a decimal point, not a comma"),
        ("2 h", 'must be a share such as "20 %" or 0.2 (got "2 h")'),
        (True, "must be a share"),
        ([0.1], "must be a share such as"),
    ],
)
def test_what_is_no_share_is_refused_with_a_sentence(value: object, sentence: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        parse_share(value)
    assert sentence in str(caught.value)


@given(st.decimals(0, 100, places=4))
def test_per_cent_and_share_are_the_same_number(per_cent: object) -> None:
    assert parse_share(f"{per_cent} %") == parse_share(str(per_cent / 100))  # type: ignore[operator]


def test_numbers_are_written_in_the_readers_language() -> None:
    assert format_number(43210.5, "nb", 1) == f"43{THIN_SPACE}210,5"
    assert format_number(43210.5, "en", 1) == f"43{THIN_SPACE}210.5"
    assert format_number(-1234567, "en") == f"{MINUS}1{THIN_SPACE}234{THIN_SPACE}567"
    assert format_number(-0.0001, "en", 1) == "0.0"
    assert format_number(float("nan")) == "–"
    assert format_share(0.1234, "nb") == "12,3 %"
    assert format_share(float("nan")) == "–"


@pytest.mark.parametrize(
    ("hours", "english", "norwegian"),
    [
        (0, "0 s", "0 s"),
        (0.01, "36 s", "36 s"),
        (0.5, "30 min", "30 min"),
        (3.5, "3.5 h", "3,5 t"),
        (-100.8, f"{MINUS}4.2 days", f"{MINUS}4,2 døgn"),
    ],
)
def test_hours_are_written_in_the_unit_that_reads_best(hours: float, english: str, norwegian: str) -> None:
    assert (format_duration(hours), format_duration(hours, "nb")) == (english, norwegian)


def test_the_clock_runs_on_standard_time_all_year() -> None:
    clock = Clock(date(2024, 1, 1))
    assert clock.to_hours(date(2024, 7, 1)) == 182 * 24  # no hour is lost in March
    assert clock.to_datetime(36.5) == datetime(2024, 1, 2, 12, 30)
    assert clock.to_hours(datetime(2024, 1, 2, 12, 30)) == 36.5
    assert [clock.weekday(hour) for hour in (0, 23.9, 24, 6 * 24, 7 * 24, -1)] == [0, 0, 1, 6, 0, 6]
    stamps = clock.to_datetimes([0.0, 36.5, np.nan])
    assert str(stamps[1]) == "2024-01-02T12:30:00.000000"
    assert np.isnat(stamps[2])


@given(st.integers(-(10**8), 10**8))
def test_a_second_is_the_same_on_the_clock_and_back(seconds: int) -> None:
    clock = Clock(date(2024, 2, 29))
    assert clock.to_hours(clock.to_datetime(seconds / 3600)) == pytest.approx(seconds / 3600, abs=1e-9)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2024-03-26 15:00", 1, "2024-03-27 15:00"),  # Tuesday → Wednesday
        ("2024-03-27 15:00", 1, "2024-04-02 15:00"),  # over Easter
        ("2024-03-30 14:00", 1, "2024-04-03 00:00"),  # Easter Eve: counts from Tuesday's midnight
        ("2024-03-30 14:00", 0, "2024-04-02 00:00"),
        ("2024-03-26 15:00", 0, "2024-03-26 15:00"),
        ("2024-03-26 15:00", 0.5, "2024-03-27 03:00"),
        ("2024-03-27 15:00", 0.5, "2024-04-02 03:00"),
        ("2024-04-05 09:00", 10, "2024-04-19 09:00"),
    ],
)
def test_working_days_skip_weekends_and_holidays_and_keep_the_time(start: str, days: float, end: str) -> None:
    clock = Clock(MONDAY)
    calendar = WorkingDays(MONDAY, 30, EASTER_2024)
    found = calendar.add(clock.to_hours(datetime.fromisoformat(start)), days)
    assert clock.to_datetime(float(found)) == datetime.fromisoformat(end)


def test_working_days_are_added_to_whole_arrays_and_what_is_missing_stays_missing() -> None:
    calendar = WorkingDays(MONDAY, 30, EASTER_2024)
    found = calendar.add(np.array([15.0, np.nan, np.inf]), np.array([[1.0], [5.0]]))
    assert found.tolist()[0][0] == 39.0
    assert found[1, 0] == 10 * 24 + 15.0  # Tue, Wed, Tue, Wed, Thu
    assert np.isnan(found[:, 1]).all()
    assert np.isinf(found[:, 2]).all()
    with pytest.raises(ValueError, match="negative"):
        calendar.add(0.0, -1)


def test_each_day_of_the_table_is_worked_or_not() -> None:
    calendar = WorkingDays(MONDAY, 10, EASTER_2024)
    assert calendar.working.tolist() == [True] * 3 + [False] * 5 + [True] * 2


@given(st.integers(0, 24 * 60), st.integers(0, 12))
def test_adding_working_days_agrees_with_counting_them_one_by_one(hour: int, days: int) -> None:
    calendar = WorkingDays(MONDAY, 100, EASTER_2024)
    day, clock = divmod(hour, 24)

    def worked(number: int) -> bool:
        today = MONDAY + timedelta(number)
        return today.weekday() < 5 and today not in EASTER_2024

    if not worked(day):
        clock = 0
        while not worked(day):
            day += 1
    for _ in range(days):
        day += 1
        while not worked(day):
            day += 1
    assert float(calendar.add(float(hour), days)) == day * 24 + clock


def test_a_fault_is_shown_as_on_the_console() -> None:
    fault = Fault(
        "a/b.yaml", 12, "adotion", "'adotion' is not known here.", "Did you mean 'adoption'?", "adotion:"
    )
    assert str(fault) == (
        "a/b.yaml:12  'adotion' is not known here. Did you mean 'adoption'?\n     12 | adotion:"
    )
    assert str(Fault("a.yaml", None, "", "is empty.")) == "a.yaml  is empty."


def test_faults_are_ordered_told_once_and_counted() -> None:
    one, two = Fault("a", 2, "y", "two."), Fault("a", 1, "x", "one.")
    error = FaultsInFile([one, two, one])
    assert error.faults == [two, one]
    assert str(error) == "a:1  one.\na:2  two.\n2 faults. Nothing was run."
    assert str(FaultsInFile([one])).endswith("1 fault. Nothing was run.")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("No such view.", "Views: settled."), 2),
        (FaultsInFile([Fault("a", 1, "x", "m.")]), 3),
        (OutputConflict("out is not empty."), 3),
        (RunFailed("Run 3 broke."), 1),
        (Interrupted("98 of 120 kept.", "Go on with: flowsim run x"), 130),
    ],
)
def test_each_error_has_its_exit_code_and_survives_a_trip_between_processes(
    error: FlowsimError, code: int
) -> None:
    assert error.exit_code == code
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
    assert vars(again) == vars(error)


def test_words_are_suggested_or_listed() -> None:
    assert nearest("Adotion", ["adoption", "seed"]) == "adoption"
    assert nearest("zzz", ["adoption"]) is None
    assert legal_list(["a"]) == "'a'"
    assert legal_list([]) == ""
    assert legal_list(f"w{n}" for n in range(23)).endswith("'w19' or one of 3 more")
    assert did_you_mean("zzz", ["a", "b"]) == "Known here: 'a' or 'b'."
    assert did_you_mean("zzz", []) == ""
