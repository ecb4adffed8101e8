"""Files are read with their lines, and every fault is told at once, where it stands, in plain words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from flowsim.config.documents import Document, Origin
from flowsim.config.loading import gather, load, load_yaml, validate
from flowsim.errors import FaultsInFile
from flowsim.units import Duration, parse_duration, parse_share


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Letter(Strict):
    kind: Literal["letter"]
    latency: Annotated[Duration, BeforeValidator(parse_duration)]


class Phone(Strict):
    kind: Literal["phone"]
    calls: int = Field(ge=1, description="How often.")


class SendStep(Strict):
    send: str


class WaitStep(Strict):
    wait: Annotated[Duration, BeforeValidator(parse_duration)]
    at_most: int = 1


def first_key(value: Any) -> str | None:
    return next((key for key in value if key in ("send", "wait")), None) if isinstance(value, dict) else None


class Adoption(Strict):
    share: Annotated[float, BeforeValidator(parse_share)] | Literal["all", "none"] = 0.0
    order: Literal["random", "largest_first"] | list[str] = "random"


class Setup(Strict):
    name: str = Field(description="What people read.")
    adoption: Adoption = Adoption()
    channels: list[Annotated[Letter | Phone, Field(discriminator="kind")]] = []
    steps: list[
        Annotated[
            Annotated[SendStep, Tag("send")] | Annotated[WaitStep, Tag("wait")], Discriminator(first_key)
        ]
    ] = []
    weights: dict[Literal["urgent", "routine"], float] = {}
    until: Phone | Adoption | None = None
    low: int = 0
    high: int = 1
    margin: float = Field(default=1, gt=0.5)
    margins: tuple[float, ...] = Field(default=(1.0,), min_length=1)

    @model_validator(mode="after")
    def ordered(self) -> Setup:
        if self.low > self.high:
            raise ValueError(f"needs low ({self.low}) to be at most high ({self.high})")
        return self


def write(folder: Path, text: str, name: str = "setup.yaml") -> str:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return str(file)


def faults_of(path: str, model: type[BaseModel] = Setup) -> list[str]:
    """Return the faults of a file as "line: message hint"."""
    with pytest.raises(FaultsInFile) as caught:
        load(path, model)
    assert {fault.file for fault in caught.value.faults} == {path}
    return [f"{fault.line}: {fault.message} {fault.hint}".strip() for fault in caught.value.faults]


def test_values_are_plain_and_know_their_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path, "# first\nname: NO\nnested:\n  on: 2024-01-01\n  list:\n    - 1\n    - {a: 1e3}\nempty:\n"
    )
    document = load_yaml(path)
    assert document.data == {
        "name": "NO",
        "nested": {"on": "2024-01-01", "list": [1, {"a": 1000.0}]},
        "empty": None,
    }
    lines = {
        ("name",): 2,
        ("nested", "list"): 5,
        ("nested", "list", 1): 7,
        ("nested", "list", 1, "a"): 7,
        ("nested", "list", 1, "not there", 3): 7,
        ("empty",): 8,
    }
    assert {where: document.line(where) for where in lines} == lines
    assert document.source(5) == "  list:"
    assert document.source(99) == document.source(None) == ""


def test_anchors_and_merge_keys_are_unfolded_into_independent_values(tmp_path: Path) -> None:
    text = "a: &x {p: 1, q: [1]}\nb: *x\nc:\n  <<: *x\n  p: 2\n"
    document = load_yaml(write(tmp_path, text))
    assert document.data["b"] == document.data["a"] == {"p": 1, "q": [1]}
    assert document.data["b"]["q"] is not document.data["a"]["q"]
    assert document.data["c"] == {"p": 2, "q": [1]}
    assert (document.line(("c", "p")), document.line(("c", "q"))) == (5, 1)


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", None, "is empty"),
        (b"# only words\n", None, "is empty"),
        (b"- a\n- b\n", 1, "must be a mapping of keys to values"),
        (
            b"just text\n",
            1,
            'must be a mapping of keys to values, such as "name: …" (got "just text")',
        ),
        (b"a: 1\nb: [1, 2\nc: 3\n", 3, "Cannot be read as YAML"),
        (b"a: 1\nb:\n\tc: 1\n", 3, "A tab stands here. Indent with spaces."),
        (b"a: 1\nb: c: d\n", 2, "A ':' stands where none can."),
        (b"a: 1\nb: %x\n", 2, "Put the text in quotes."),
        (b"a: *nobody\n", 1, "A name with '*' stands here that no '&' has set."),
        (b"a: 1\n---\nb: 2\n", 2, "A second document begins here."),
        (b"a: 1\nb: !!python/name:os.system x\n", 2, "is a YAML tag, which is not used here."),
        (b"a: 1\nb: &x [*x]\n", 2, "An anchor stands inside itself."),
        (b"a: 1\n? [1, 2]\n: 3\n", 2, "A key must be a single word or text."),
        (b"a: 1\nb: 2\na: 3\n", 3, "'a' stands here twice (first in line 1)."),
        (b"a: 1\nn: \xe6\n", 2, "is not text in UTF-8."),
        (b"\x00\x01\x02", None, "is not a text file."),
        (b"a: \x07\n", None, "cannot be read as YAML"),
    ],
)
def test_a_file_that_cannot_be_read_gives_one_fault_at_its_line(
    tmp_path: Path, content: bytes, line: int | None, words: str
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)
    with pytest.raises(FaultsInFile) as caught:
        load_yaml(file)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == (str(file), line)
    assert words in f"{fault.message} {fault.hint}"


def test_a_missing_file_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, "a: 1\n", "levels.yaml")
    with pytest.raises(FaultsInFile, match=r"level\.yaml' does not exist\. Did you mean '.*levels\.yaml'\?"):
        load_yaml(tmp_path / "level.yaml")
    with pytest.raises(
        FaultsInFile, match=r"is a folder, not a file\. Name a file in it, such as .*levels\.yaml"
    ):
        load_yaml(tmp_path)
    with pytest.raises(FaultsInFile, match="does not exist"):
        load_yaml(tmp_path / "no folder" / "x.yaml")


def test_anchors_cannot_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowsim.config.loading.NODES_MAX", 1000)
    rows = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(FaultsInFile, match="unfolds to more than 1000 values"):
        load_yaml(write(tmp_path, "\n".join(rows)))


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
adotion: {}
adoption:
  share: 120 %
  order: largst_first
channels:
  - {kind: lettr, latency: 4 h}
  - {kind: letter, latency: 4}
  - {kind: phone, calls: 0}
  - {knd: phone}
  - phone
steps:
  - {send: here}
  - {wiat: 4 h}
  - wait: 4 h
    atmost: 2
weights: {urgnt: 1, routine: many}
"""
    assert faults_of(write(tmp_path, text)) == [
        "1: 'name' is missing. (What people read.)",
        "1: 'adotion' is not known here. Did you mean 'adoption'?",
        (
            '3: adoption.share must lie between 0 and 1, or 0 % and 100 % (got "120 %"); '
            "for example \"20 %\", or 'all' or 'none'"
        ),
        (
            "4: adoption.order must be 'random' or 'largest_first' (got \"largst_first\"). "
            "Did you mean 'largest_first'?"
        ),
        "6: channels[1].kind: \"lettr\" is not known here. Did you mean 'letter'?",
        '7: channels[2].latency must be a duration such as "4 h" (got 4)',
        "8: channels[3].calls must be at least 1 (got 0)",
        "9: 'kind' is missing in channels[4]. Is 'knd' meant to be 'kind'?",
        '10: channels[5] must be a mapping of keys to values (got "phone")',
        "13: 'wiat' is not known here. Did you mean 'wait'?",
        "15: 'atmost' is not known here. Did you mean 'at_most'?",
        "16: 'urgnt' is not known here. Did you mean 'urgent'?",
        '16: weights.routine must be a number (got "many")',
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: 4", '1: name must be text (got 4). Put it in quotes: "4".'),
        ("name: [a]", "1: name must be text (got a list of 1)"),
        ("name: x\nlow: 1.5", "2: low must be a whole number (got 1.5)"),
        ("name: x\nlow: 2", "1: The file needs low (2) to be at most high (1)"),
        ("name: x\nweights: {zzz: many}", "2: 'zzz' is not known here. Known here: 'urgent' or 'routine'."),
        ("name: x\nmargin: 0", "2: margin must be greater than 0.5 (got 0)"),
        ("name: x\nmargins: []", "2: margins must be at least 1 entry long (got an empty list)"),
        ("name: x\nmargins: [x]", '2: margins[1] must be a number (got "x")'),
        ("name: x\nadoption: 4", "2: adoption must be a mapping of keys to values (got 4)"),
        ("name: x\nadoption: {order: [a, 4.5]}",
         '2: adoption.order[2] must be text (got 4.5). Put it in quotes: "4.5".'),
        ("name: x\nuntil:\n  kind: phone\n  calls: 0", "4: until.calls must be at least 1 (got 0)"),
        ("name: x\nuntil: {shares: 4}", "2: 'shares' is not known here. Did you mean 'share'?"),
        ("name: x\nuntil: 4", "2: until must be a mapping of keys to values (got 4)"),
        ("name: x\nzzz: 4",
         ("2: 'zzz' is not known here. Known here: 'name', 'adoption', 'channels', "
          "'steps', 'weights', 'until', 'low', 'high', 'margin' or 'margins'.")),
        ("name: x\nchannels:\n  - {kind: phone}", "3: 'calls' is missing in channels[1]. (How often.)"),
        ("name: x\nsteps:\n  - {zzz: 1}",
         "3: steps[1] must say which kind it is. Known here: 'send' or 'wait'."),
        ("name: x\nchannels:\n  - {kind: 4}",
         "3: channels[1].kind must be text (got 4). Known here: 'letter' or 'phone'."),
    ],
)  # fmt: skip
def test_a_single_mistake_gives_a_single_fault_in_plain_words(tmp_path: Path, text: str, fault: str) -> None:
    assert faults_of(write(tmp_path, text)) == [fault]


def test_a_key_that_is_not_known_is_shown_with_its_source(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\nadoption:\n  ordr: random\n")
    with pytest.raises(FaultsInFile) as caught:
        load(path, Setup)
    assert str(caught.value) == (
        f"{path}:3  'ordr' is not known here. Did you mean 'order'?\n      3 |   ordr: random\n"
        "1 fault. Nothing was run."
    )
    assert caught.value.faults[0].path == "adoption.ordr"


def test_a_good_file_becomes_a_model(tmp_path: Path) -> None:
    setup = load(write(tmp_path, "name: x\nadoption: {share: all}\nsteps: [wait: 2 days]\n"), Setup)
    assert setup.adoption.share == "all"
    assert isinstance(setup.steps[0], WaitStep)
    assert setup.steps[0].wait == Duration(48)


def test_a_file_stands_on_its_base_and_faults_point_into_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    base = write(tmp_path, "name: base\nlow: x\nadoption:\n  order: random\n  share: 5\n", "base.yaml")
    path = write(tmp_path / "sub", "base: ../base.yaml\nadoption:\n  share: 20 %\n  order: [4]\n", "top.yaml")
    document = load_yaml(path)
    assert document.data == {"name": "base", "low": "x", "adoption": {"order": [4], "share": "20 %"}}
    assert (document.where(("low",)), document.where(("adoption", "share"))) == (
        Origin(base, 2),
        Origin(path, 3),
    )
    with pytest.raises(FaultsInFile) as caught:
        validate(document, Setup)
    assert [(fault.file, fault.line, fault.path) for fault in caught.value.faults] == [
        (base, 2, "low"),
        (path, 4, "adoption.order[1]"),
    ]


def test_a_path_in_a_base_is_relative_to_the_base(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path, "topology: t/x.yaml\nother: y.yaml\n", "base.yaml")
    document = load_yaml(write(tmp_path / "sub", "base: ../base.yaml\nother: z.yaml\n"))
    assert document.file_at(("topology",)) == tmp_path / "t" / "x.yaml"
    assert document.file_at(("other",)) == tmp_path / "sub" / "z.yaml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nbase: setup.yaml\n", "'setup.yaml' is based on this very file."),
        ("a: 1\nbase: nothing.yaml\n", "does not exist"),
        ("a: 1\nbase: [x]\n", 'base must be the path of a file, such as "common.yaml" (got a list)'),
        ("a: 1\nbase: other.yaml\n", "'setup.yaml' is based on this very file."),
    ],
)
def test_a_base_that_cannot_be_used_is_one_fault(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, "c: 1\nbase: setup.yaml\n", "other.yaml")
    path = write(tmp_path, text)
    with pytest.raises(FaultsInFile) as caught:
        load_yaml(path)
    (fault,) = caught.value.faults
    assert (fault.line, words in fault.message) == (2, True)


def test_values_put_at_a_path_are_faulted_where_they_were_written(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\nadoption:\n  order: random\nvary:\n  adoption.share: [0 %, 150 %]\n")
    document = load_yaml(path)
    origin = document.where(("vary", "adoption.share", 1))
    varied = document.put("adoption.share", "150 %", origin).put("adoption.order", [4])
    assert document.data["adoption"] == {"order": "random"}  # the first one is unchanged
    del varied.data["vary"]
    with pytest.raises(FaultsInFile) as caught:
        validate(varied, Setup)
    assert [(fault.line, fault.path) for fault in caught.value.faults] == [
        (3, "adoption.order[1]"),
        (5, "adoption.share"),
    ]


def test_a_document_made_in_memory_has_no_lines_but_still_tells_its_faults() -> None:
    with pytest.raises(FaultsInFile, match=r"^memory  'name' is missing\."):
        validate(Document("memory", {}), Setup)


def test_faults_of_several_files_are_raised_together(tmp_path: Path) -> None:
    bad = [write(tmp_path, "nme: x\n", f"{name}.yaml") for name in "ab"]
    good = write(tmp_path, "name: x\n")
    assert [setup.name for setup in gather([lambda: load(good, Setup)] * 2)] == ["x", "x"]
    with pytest.raises(FaultsInFile) as caught:
        gather([lambda: load(bad[0], Setup), lambda: load(good, Setup), lambda: load(bad[1], Setup)])
    assert [fault.file for fault in caught.value.faults] == [bad[0]] * 2 + [bad[1]] * 2


def test_numbers_are_read_as_yaml_1_2_has_them(tmp_path: Path) -> None:
    data = load_yaml(write(tmp_path, "a: 0x1f\nb: 012\nc: .inf\nd: 12:30\ne: yes\nf: true\ng: ~\n")).data
    assert data == {"a": 31, "b": 12, "c": math.inf, "d": "12:30", "e": "yes", "f": True, "g": None}
