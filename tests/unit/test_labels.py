"""Every word that people read is there in English and in Norwegian."""

from __future__ import annotations

import re
from enum import Enum
from string import Formatter

import pytest

from flowsim import vocabulary
from flowsim.errors import UsageError
from flowsim.labels import LANGUAGES, Labels, load_labels
from flowsim.measures import MEASURES

ENUMS = [
    thing
    for thing in vars(vocabulary).values()
    if isinstance(thing, type) and issubclass(thing, Enum) and len(thing)
]


@pytest.fixture(params=LANGUAGES)
def labels(request: pytest.FixtureRequest) -> Labels:
    return load_labels(request.param)


def test_every_word_of_the_vocabulary_has_a_label(labels: Labels) -> None:
    for words in ENUMS:
        family = re.sub(r"(?<!^)(?=[A-Z])", "_", words.__name__).lower()
        for member in words:
            assert member.name in labels.tables[family], f"{labels.language}: {family}.{member.name}"
            assert labels.member(member) == labels.tables[family][member.name]


def test_every_measure_has_a_label_and_its_own_unit(labels: Labels) -> None:
    for name, measure in MEASURES.items():
        assert name in labels.tables["measure"], f"{labels.language}: {name}"
        assert labels.measure_unit(name) == measure.unit
        assert measure.unit in labels.tables["unit"]


def test_both_languages_have_the_same_keys_and_the_same_places_to_fill() -> None:
    english, norwegian = (load_labels(language).tables for language in LANGUAGES[::-1])
    assert {k: set(v) for k, v in english.items()} == {k: set(v) for k, v in norwegian.items()}
    for key, text in english["text"].items():
        places = [
            {field for _, field, _, _ in Formatter().parse(t) if field}
            for t in (text, norwegian["text"][key])
        ]
        assert places[0] == places[1], key


@pytest.mark.parametrize(
    ("group", "english", "norwegian"),
    [
        ("", "all", "alle"),
        ("pathway=referral,urgency=routine", "referral, routine", "henvisning, vanlig"),
        ("kind=discharge_summary", "discharge summary", "epikrise"),
        ("direction=gp-hospital", "GP–hospital", "fastlege–sykehus"),
        ("channel=edi", "e-message", "e-melding"),
        ("fault=unwatched", "list nobody watches", "liste ingen følger"),
    ],
)
def test_groups_are_read_as_words(group: str, english: str, norwegian: str) -> None:
    assert load_labels("en").group(group) == english
    assert load_labels("nb").group(group) == norwegian


def test_numbers_are_written_as_the_language_does() -> None:
    labels = load_labels("nb")
    assert labels.number(43210.55, 1) == "43\u202f210,6"
    assert labels.number(43210, -3) == "43\u202f000"
    assert labels.number(-0.04, 1) == "0,0"
    assert labels.number(1.5, 1, sign=True) == "+1,5"
    assert labels.percent(0.1234) == "12,3\u202f%"
    assert labels.level("12.5 %") == "12,5\u202f%" and labels.level("2 practices") == "2\u202fkontorer"


def test_what_a_user_named_is_shown_as_named() -> None:
    labels = load_labels("en")
    assert labels.word("message_kind", "my_own_form") == "my own form"
    assert labels.under("night_rates") == "Under rate set night_rates, "


def test_an_unknown_language_is_a_users_mistake() -> None:
    with pytest.raises(UsageError, match="There are no texts in 'nn'"):
        load_labels("nn")
