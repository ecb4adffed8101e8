"""Data with origins: merging, paths as people write them, and where each part was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from flowsim.config.documents import Document, Origin, dotted, get_path, merge, set_path
from flowsim.config.loading import load_yaml
from flowsim.errors import FaultsInFile


def test_a_path_finds_list_items_by_their_id_and_names_what_it_does_not_find() -> None:
    data = {"services": [{"id": "intake", "staff": 2}, {"id": "clinic"}], "seed": 1}
    changed = set_path(data, "services.clinic.staff", 5)
    assert changed["services"] == [{"id": "intake", "staff": 2}, {"id": "clinic", "staff": 5}]
    assert data["services"][1] == {"id": "clinic"}  # type: ignore[index]
    assert set_path(data, "new.thing", 1)["new"] == {"thing": 1}
    with pytest.raises(ValueError, match=r"'intak' is not the id of any\. Did you mean 'intake'\?"):
        set_path(data, "services.intak.staff", 5)
    with pytest.raises(ValueError, match="nothing inside 'seed' by the name of 'x'"):
        set_path(data, "seed.x", 5)
    with pytest.raises(ValueError, match="names with dots between"):
        set_path(data, "services..staff", 5)
    with pytest.raises(FaultsInFile, match=r"v\.yaml:7  'seed\.x' leads nowhere"):
        Document("a.yaml", data).put("seed.x", 1, Origin("v.yaml", 7))


def test_what_is_put_in_place_of_a_mapping_forgets_the_lines_of_what_stood_there() -> None:
    lines = {(): 1, ("a",): 2, ("a", "b"): 3, ("c",): 4}
    document = Document(
        "f.yaml", {"a": {"b": 1}, "c": 2}, {key: Origin("f.yaml", line) for key, line in lines.items()}
    )
    changed = document.put("a", {"b": 9}, Origin("f.yaml", 7))
    assert [changed.line(path) for path in (("a",), ("a", "b"), ("c",))] == [7, 7, 4]
    assert [document.put("a", {"b": 9}).line(path) for path in (("a",), ("a", "b"))] == [2, 2]


def test_mappings_merge_and_all_else_is_replaced_with_its_lines(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: {x: 1, y: 2}\nb: [1, 2]\nc: {z: 1}\nd: 4\n", encoding="utf-8")
    top = tmp_path / "top.yaml"
    top.write_text("base: base.yaml\na:\n  y: 3\nb: [9]\nc: none\n", encoding="utf-8")
    document = load_yaml(top)
    assert document.data == {"a": {"x": 1, "y": 3}, "b": [9], "c": "none", "d": 4}
    files = {path: Path(document.where(path).file).name for path in document.origins if path}
    assert {path for path, file in files.items() if file == "base.yaml"} == {("a", "x"), ("d",)}
    assert {path for path, file in files.items() if file == "top.yaml"} == {
        ("base",),
        ("a",),
        ("a", "y"),
        ("b",),
        ("b", 0),
        ("c",),
    }


KEYS = st.sampled_from(["a", "b", "c", "NO", "x y"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-9, 10**9)
    | st.text("ab: #-'\"\n", max_size=6)
    | st.floats(-1e9, 1e9)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


@given(MAPPINGS, MAPPINGS, MAPPINGS)
def test_merging_is_associative_has_a_neutral_element_and_changes_nothing_it_is_given(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]
) -> None:
    before = repr((one, two))
    assert merge(one, {}) == merge({}, one) == merge(one, one) == one
    assert merge(merge(one, two), two) == merge(one, two)
    assert repr((one, two)) == before
    if not clashing(one, two) and not clashing(merge(one, two), three) and not clashing(two, three):
        assert merge(merge(one, two), three) == merge(one, merge(two, three))


def clashing(one: object, two: object) -> bool:
    """Return whether a mapping meets something else, where the order of merging matters."""
    if isinstance(one, dict) and isinstance(two, dict):
        return any(clashing(one[key], two[key]) for key in one if key in two)
    return isinstance(one, dict) or isinstance(two, dict)


@given(MAPPINGS)
def test_whatever_is_written_as_yaml_is_read_back_with_a_line_for_each_part(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    file = tmp_path_factory.mktemp("round") / "trip.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(data, stream)
    document = load_yaml(file)
    assert document.data == data
    for path, value in parts(data):
        line = document.line(path)
        assert get_path(document.data, path) == value
        assert document.origins[path].line == line
        if isinstance(path[-1], str):
            assert line is not None
            assert path[-1] in document.source(line)


def parts(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], object]]:
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [part for key, inner in items for part in [((*path, key), inner), *parts(inner, (*path, key))]]


@given(MAPPINGS, KEYS, KEYS, st.integers())
def test_what_is_put_at_a_path_is_found_there_and_nothing_else_moves(
    data: dict[str, Any], first: str, second: str, value: int
) -> None:
    here = data.get(first)
    if isinstance(here, dict | None):
        changed = set_path(data, f"{first}.{second}", value)
        assert changed[first][second] == value
        assert {key: old for key, old in changed.items() if key != first} == {
            key: old for key, old in data.items() if key != first
        }


def test_a_path_is_written_with_ids_where_items_have_them() -> None:
    data = {"steps": [{"id": "triage", "send": 1}, {"send": 2}]}
    assert dotted(("steps", 0, "send"), data) == "steps.triage.send"
    assert dotted(("steps", 1, "send"), data) == "steps[2].send"
