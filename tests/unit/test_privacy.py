"""Pseudonyms, the key they are made with, and the guard that stops at identity numbers."""

from __future__ import annotations

import hashlib
import hmac
import os
import pickle
import stat
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.errors import IdentityNumber, UsageError
from flowsim.monitor.sources import privacy
from flowsim.monitor.sources.identity import check_digits_right, holds_identity_number, masked
from flowsim.monitor.sources.privacy import Guard, Pseudonyms, load_key
from tests.identity_numbers import PUBLISHED, synthetic_numbers, with_check_digits

KEY = bytes(range(32))
NUMBER = PUBLISHED[0]
CHANGED = "17912099998"  # the last digit is wrong


# --- check digits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", PUBLISHED)
def test_published_synthetic_numbers_have_right_check_digits(number: str) -> None:
    assert check_digits_right(number)


@pytest.mark.parametrize("number", PUBLISHED)
def test_a_changed_digit_is_wrong(number: str) -> None:
    """Both sums weigh modulo a prime: no single changed digit can pass (a property of the published rule)."""
    for place in range(11):
        for other in "0123456789":
            changed = number[:place] + other + number[place + 1 :]
            assert check_digits_right(changed) == (changed == number)


@given(st.text("0123456789", min_size=9, max_size=9))
def test_check_digits_agree_with_another_form_of_the_rule(nine: str) -> None:
    right = with_check_digits(nine)
    assert {f"{nine}{n:02}" for n in range(100) if check_digits_right(f"{nine}{n:02}")} == {right} - {None}


# --- what is shaped like a number -----------------------------------------------------------------------

N = NUMBER
WRITTEN = [
    N,
    f"{N[:6]} {N[6:]}",
    f"{N[:6]}-{N[6:]}",
    f"{N[:6]} - {N[6:]}",
    f"{N[:6]}\u00a0{N[6:]}",
    f"{N[:6]}\u200b{N[6:]}",
    f"{N[:2]}.{N[2:4]}.{N[4:6]}-{N[6:]}",
    f"{N[:2]} {N[2:4]} {N[4:6]} {N[6:9]} {N[9:]}",
    f"{N[:6]} {N[6:9]} {N[9:]}",
    f"patient {N}, seen on 2024-01-01",
    f"a{N}b",
    f"_{N}_",
    f"12 {N} 7",
    f"<Id>{N}</Id>",
    f'{{"id":"{N}"}}',
    f"PID|1||{N}^^^NO",
    f"2.16.578.1.12.4.1.4.1.{N}",
    f"urn:uuid:01234567-89ab-cdef-0123-456789abcdef {N}",
    f"{CHANGED} {N}",
    f"{N}.0",
    f"\n{N}\t",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert holds_identity_number(text)
    assert N not in masked(text) and not holds_identity_number(masked(text))


@pytest.mark.parametrize("text", WRITTEN)
def test_the_fast_search_over_columns_finds_all_that_the_slow_one_finds(text: str) -> None:
    with pytest.raises(IdentityNumber):
        Guard().check_array(pa.array(["plain", None, text]), "a.csv", 1, "text")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-01-01 12:00:00.123456",
        "2024-01-01T12:00:00.00179120999Z",
        CHANGED,
        N + "1",
        "1" + N,
        "0." + N,  # a measurement
        f"{N[:6]}.{N[6:]}",  # likewise
        f"a1b2c3d4-0000-0000-0000-a{N}",  # the number of a machine
        "0123456789abcdef0123456789abcdef" + "a" + N + "a",
        "+47 22 33 44 55",
        "1732500000",  # seconds since 1970
        "1732500000000",
        "889640782",  # an organisation
    ],
)
def test_what_is_no_number_stops_nothing(text: str) -> None:
    assert not holds_identity_number(text)
    assert masked(text) == text


def test_a_leading_zero_that_a_spreadsheet_ate_hides_nothing() -> None:
    """Nobody has such a number: no century has the year 45 with serials from 500 to 899."""
    number = next(filter(None, map(with_check_digits, ("050445600", "050445601", "050445602"))))
    assert number is not None
    assert holds_identity_number(number[1:])
    for column in (pa.array([1, int(number)]), pa.array([0.5, float(number)]), pa.array([None, int(number)])):
        with pytest.raises(IdentityNumber, match=r"row 8, column n:"):
            Guard().check_array(column, "a.parquet", 7, "n")


# --- guard ----------------------------------------------------------------------------------------------


def test_the_guard_says_file_row_and_column_and_never_the_value() -> None:
    with pytest.raises(IdentityNumber) as raised:
        Guard().check(f"text {N}", "logs/a.csv", 17, "comment")
    told = f"{raised.value!s} {raised.value!r}"
    assert "logs/a.csv, row 17, column comment" in told
    assert N not in told
    assert raised.value.__cause__ is None and raised.value.exit_code == 3


def test_a_name_that_is_a_number_is_masked() -> None:
    with pytest.raises(IdentityNumber) as raised:
        Guard().check(N, f"logs/{N}.xml", 1, f"x{N}")
    assert N not in str(raised.value)
    with pytest.raises(IdentityNumber, match=r"column number 2") as raised:
        Guard().check_names(["a", N], "headless.csv")
    assert N not in str(raised.value)


def test_columns_of_any_type_are_looked_through() -> None:
    values = {
        "text": pa.array(["a", f"b {N}"]),
        "large": pa.array(["a", N], pa.large_string()),
        "dictionary": pa.array(["a", N]).dictionary_encode(),
        "whole": pa.array([1, int(N)]),
        "floating": pa.array([1.0, float(N)]),
        "bytes": pa.array([b"a", N.encode()]),
        "list": pa.array([["a"], ["b", N]]),
        "struct": pa.array([{"x": "a"}, {"x": N}]),
        "chunks": pa.chunked_array([["a"], [N]]),
        "many chunks": pa.chunked_array(
            [pa.array(["a"]).dictionary_encode(), pa.array([N]).dictionary_encode()]
        ),
    }
    for name, column in values.items():
        with pytest.raises(IdentityNumber, match=f"row 2, column {name}:"):
            Guard().check_array(column, "f", 1, name)
    harmless = pa.table(
        {"time": pa.array([0, int(N)], pa.timestamp("ms")), "yes": [True, None], "no": pa.nulls(2)}
    )
    Guard().check_table(harmless, "f")


def test_a_table_is_looked_through_but_for_what_is_replaced() -> None:
    table = pa.table({"patient": [N], "comment": ["fine"]})
    Guard().check_table(table, "f", without=["patient"])
    with pytest.raises(IdentityNumber, match="column patient"):
        Guard().check_table(table.to_batches()[0], "f")


@given(st.lists(st.text("0123456789 -.ab", max_size=16), max_size=20))
def test_fast_and_slow_search_agree(texts: list[str]) -> None:
    texts += [text.replace("a", NUMBER) for text in texts]
    first = next((row for row, text in enumerate(texts, 1) if holds_identity_number(text)), None)
    if first is None:
        Guard().check_array(pa.array(texts, pa.string()), "f", 1, "c")
    else:
        with pytest.raises(IdentityNumber, match=rf"row {first},"):
            Guard().check_array(pa.array(texts), "f", 1, "c")


# --- pseudonyms -----------------------------------------------------------------------------------------


@given(st.text())
def test_a_number_is_the_beginning_of_the_keyed_hash(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    expected = int(hmac.new(KEY, data, hashlib.sha256).hexdigest()[:16], 16) >> 1
    assert Pseudonyms(KEY).number(text) == expected
    assert 0 < expected < 2**63


def test_one_key_gives_one_number_and_another_key_another() -> None:
    ids = synthetic_numbers(500)
    first, again, other = Pseudonyms(KEY), Pseudonyms(KEY), Pseudonyms(KEY[::-1])
    numbers = first.numbers(ids)
    assert numbers.tolist() == [again.number(text) for text in ids] == first.numbers(ids).tolist()
    assert len(set(numbers.tolist())) == len(set(ids))
    assert not set(numbers.tolist()) & set(other.numbers(ids).tolist())
    assert first.numbers(["", None, "a"]).tolist() == [0, 0, first.number("a")]


def test_the_memory_of_numbers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "CACHE_MAX", 10)
    pseudonyms = Pseudonyms(KEY)
    numbers = [pseudonyms.number(str(n)) for n in range(100)]
    assert len(pseudonyms._cache) <= 10
    assert numbers == [Pseudonyms(KEY).number(str(n)) for n in range(100)]


def test_the_key_shows_nowhere() -> None:
    pseudonyms = Pseudonyms(KEY)
    pseudonyms.number(N)
    shown = f"{pseudonyms!r} {pseudonyms!s}"
    assert N not in shown and KEY.hex() not in shown and repr(KEY) not in shown
    with pytest.raises(TypeError, match="not stored"):
        pickle.dumps(pseudonyms)
    with pytest.raises(UsageError, match="32 bytes") as raised:
        Pseudonyms(b"secret")
    assert "secret" not in str(raised.value)


# --- key file -------------------------------------------------------------------------------------------


def test_a_missing_key_is_made_for_its_owner_only_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "key"
    mask = os.umask(0)
    try:
        key = load_key(path, tmp_path / "out")
    finally:
        os.umask(mask)
    assert len(key) == 32 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path) == key != load_key(tmp_path / "other")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_key(path)
    path.chmod(mode)
    with pytest.raises(UsageError, match="chmod 600"):
        load_key(path)


def test_a_key_in_the_output_is_refused_and_not_made(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(out)
    for path in (out / "key", out / "sub" / ".." / "key", out / "sub" / "key", tmp_path / "link" / "key"):
        with pytest.raises(UsageError, match="inside the output folder"):
            load_key(path, out)
        assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"secretsecret"])
def test_a_short_key_is_refused_without_being_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="at least 32") as raised:
        load_key(path)
    assert "secret" not in str(raised.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_key(tmp_path)
    with pytest.raises(UsageError, match="cannot be made"):
        load_key(tmp_path / "no" / "key")
    with pytest.raises(UsageError, match="no plain file"):
        load_key(Path("/dev/zero"))
