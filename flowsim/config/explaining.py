"""What pydantic found wrong, in words that an analyst understands, each at the line where it stands.

A union gives one fault: of the member that the value was most likely meant to be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ValidationError

from flowsim.config.documents import DataPath, Document, dotted, get_path
from flowsim.config.problems import Problem, legal_words, problems_of, word_of
from flowsim.errors import Fault, did_you_mean, legal_list, nearest
from flowsim.units import shown

#: How a sentence of a validator begins that wants the name of its setting in front.
_PREDICATES: Final = frozenset(
    [
        "must",
        "needs",
        "has",
        "is",
        "are",
        "lies",
        "names",
        "leads",
        "goes",
        "holds",
        "takes",
        "cannot",
        "does",
    ]
)

#: What was expected, by pydantic's type of error; ``{}`` takes its numbers.
_EXPECTED: Final[dict[str, str]] = {
    "string_type": "text",
    "string_sub_type": "text",
    "string_unicode": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "iterable_type": "a list",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "none_required": "left empty",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "date_type": "a date such as 2024-01-31",
    "date_parsing": "a date such as 2024-01-31",
    "date_from_datetime_parsing": "a date such as 2024-01-31",
    "date_from_datetime_inexact": "a date such as 2024-01-31, without a time",
    "datetime_type": "a date and time such as 2024-01-31 08:30",
    "datetime_parsing": "a date and time such as 2024-01-31 08:30",
    "datetime_from_date_parsing": "a date and time such as 2024-01-31 08:30",
    "time_type": "a time such as 08:30",
    "time_parsing": "a time such as 08:30",
}

#: Errors that say the value has the wrong shape altogether, so that another member of a union was meant.
_WRONG_SHAPE: Final = frozenset(
    kind for kind in _EXPECTED if kind.endswith("_type") or kind == "none_required"
) | {"is_instance_of"}


def explain(document: Document, model: type[BaseModel], error: ValidationError) -> list[Fault]:
    """Return the faults in a document that a model refused, in the order in which they stand."""
    problems = filter(_is_real, problems_of(document.data, model, error))
    groups = _reduce(problems, 0)
    bad_keys = {group[0].path for group in groups if group[0].is_key}
    return [
        _fault(document, group)
        for group in groups
        # What stands beneath a key that is not known is not judged.
        if group[0].is_key or bad_keys.isdisjoint(_parents(group[0].path))
    ]


def _parents(path: DataPath) -> list[DataPath]:
    """Return a path and all that it lies within."""
    return [path[:length] for length in range(len(path) + 1)]


def _is_real(problem: Problem) -> bool:
    """Return whether a report is about the file; a list is also called short when its items are faulty."""
    written = problem.value
    return not (
        problem.kind == "too_short"
        and isinstance(written, list | tuple | dict)
        and len(written) >= problem.context["min_length"]
    )


def _reduce(problems: Iterable[Problem], depth: int) -> list[list[Problem]]:
    """Return problems in groups that make one fault each; of a union's members only the likeliest."""
    groups: list[list[Problem]] = []
    unions: dict[DataPath, dict[str, list[Problem]]] = {}
    for problem in problems:
        if len(problem.unions) > depth:
            path, label = problem.unions[depth]
            unions.setdefault(path, {}).setdefault(label, []).append(problem)
        else:
            groups.append([problem])
    for path, members in unions.items():
        deep = [member for member in members.values() if any(len(each.path) > len(path) for each in member)]
        if deep:  # the value has the shape of this member: its faults lie inside
            likeliest = min(deep, key=len)
            groups += _reduce(likeliest, depth + 1)
            continue
        fitting = [member for member in members.values() if all(p.kind not in _WRONG_SHAPE for p in member)]
        groups.append([member[0] for member in fitting or members.values()])
    return groups


def _fault(document: Document, group: list[Problem]) -> Fault:
    """Return the one fault that a group of problems at one place makes."""
    problem = group[0]
    if problem.is_key:
        return _key_fault(document, problem)
    path = problem.path
    if problem.kind == "missing" and isinstance(path[-1], str):
        return _missing_fault(document, problem, path[-1])
    # A shorthand ("4 h" for a whole distribution) is unfolded before it is checked: stay at what is written.
    while path and not isinstance(get_path(document.data, path[:-1]), dict | list):
        path = path[:-1]
    if problem.kind in ("union_tag_invalid", "union_tag_not_found"):
        return _tag_fault(document, problem, path)
    sentence, hint = _sentence(group)
    return document.fault(path, _with_subject(dotted(path, document.data), sentence), hint)


def _key_fault(document: Document, problem: Problem) -> Fault:
    """Return the fault of a key that is not known, or is no good name."""
    key = str(problem.path[-1])
    fields, schema = problem.fields, problem.schema
    if problem.kind == "extra_forbidden" and fields is not None and fields["type"] == "model-fields":
        present = get_path(document.data, problem.path[:-1])
        there = set(present) if isinstance(present, dict) else set()
        # What stands here already cannot be what was meant, unless nothing else is near.
        free = [name for name in fields["fields"] if name not in there]
        hint = did_you_mean(key, free) if nearest(key, free) else did_you_mean(key, fields["fields"])
    elif schema is not None and schema["type"] in ("literal", "enum"):
        hint = did_you_mean(key, legal_words(schema))
    else:
        sentence, hint = _sentence([problem])
        return document.fault(problem.path, f"The key '{key}' {sentence}", hint, quote=True)
    return document.fault(problem.path, f"'{key}' is not known here.", hint, quote=True)


def _missing_fault(document: Document, problem: Problem, key: str) -> Fault:
    """Return the fault of a key that must be there; it points at what it is missing from."""
    parent = problem.path[:-1]
    model = problem.fields
    where = f" in {dotted(parent, document.data)}" if parent else ""
    hint = ""
    if model is not None:
        metadata = model["fields"].get(key, {}).get("metadata") or {}
        hint = str((metadata.get("pydantic_js_updates") or {}).get("description", ""))
    fault = document.fault(parent, f"'{key}' is missing{where}.", f"({hint})" if hint else "")
    return Fault(fault.file, fault.line, dotted(problem.path, document.data), fault.message, fault.hint)


def _tag_fault(document: Document, problem: Problem, path: DataPath) -> Fault:
    """Return the fault of a mapping that does not say which of several kinds it is."""
    tags = [word_of(tag) for tag in problem.schema["choices"]] if problem.schema is not None else []
    key = problem.schema["discriminator"] if problem.schema is not None else ""
    written = get_path(document.data, path)
    named = isinstance(key, str)
    if named and isinstance(written, dict) and key in written:
        text = shown(written[key])
        is_text = isinstance(written[key], str)
        sentence = f"{text} is not known here." if is_text else f"must be text (got {text})."
        name = dotted((*path, key), document.data)
        hint = did_you_mean(str(written[key]), tags)
        return document.fault((*path, key), _with_subject(name, sentence), hint)
    if not isinstance(written, dict):
        sentence = f"must be a mapping of keys to values (got {shown(written)})"
        return document.fault(path, _with_subject(dotted(path, document.data), sentence))
    if named:
        near = nearest(key, [word for word in written if word not in tags])
        hint = f"Is '{near}' meant to be '{key}'?" if near else f"One of {legal_list(tags)}."
        return document.fault(path, f"'{key}' is missing in {dotted(path, document.data)}.", hint)
    for word in written:  # the kind is one of the keys: which one is misspelt?
        if nearest(word, tags):
            return document.fault(
                (*path, word), f"'{word}' is not known here.", did_you_mean(word, tags), quote=True
            )
    return document.fault(
        path, f"{dotted(path, document.data)} must say which kind it is.", did_you_mean("", tags)
    )


def _sentence(group: list[Problem]) -> tuple[str, str]:
    """Return the predicate that says what the value must be, and a hint."""
    own = [problem for problem in group if problem.kind in ("value_error", "assertion_error")]
    others = [problem for problem in group if problem not in own]
    words = [word for problem in others for word in legal_words(problem.schema)]
    if own:
        sentence = str(own[0].context.get("error", own[0].message))
        extra = list(dict.fromkeys(_expected(problem) for problem in others))
        return sentence + (f", or {' or '.join(extra)}" if extra else ""), ""
    expected = list(dict.fromkeys(_expected(problem) for problem in others))
    value = group[0].value
    near = nearest(value, words) if isinstance(value, str) and words else None
    hint = f"Did you mean '{near}'?" if near else ""
    if expected == ["text"] and isinstance(value, int | float):
        hint = f'Put it in quotes: "{value}".'
    end = "." if hint else ""
    return f"must be {' or '.join(expected)} (got {_shown(value)}){end}", hint


def _shown(value: object) -> str:
    """Return what was written; of a list or mapping, how many it has."""
    if isinstance(value, list | tuple | dict):
        return f"{shown(value)} of {len(value)}" if value else shown(value).replace("a ", "an empty ")
    return shown(value)


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _expected(problem: Problem) -> str:
    """Return what a value was expected to be, to stand after "must be"."""
    kind, context = problem.kind, problem.context
    if kind in _EXPECTED:
        return _EXPECTED[kind].format(**{key: _short(value) for key, value in context.items()})
    if kind in ("literal_error", "enum"):
        return legal_list(legal_words(problem.schema)) or str(context.get("expected", ""))
    if kind in ("too_short", "too_long", "string_too_short", "string_too_long"):
        limit, few = ("min_length", "at least") if kind.endswith("short") else ("max_length", "at most")
        one, many = ("character", "characters") if kind.startswith("string") else ("entry", "entries")
        return f"{few} {context[limit]} {one if context[limit] == 1 else many} long"
    if kind == "string_pattern_mismatch":
        return _form(str(context["pattern"]))
    if kind == "is_instance_of":
        return f"a {str(context['class']).lower()}"
    text = problem.message.removeprefix("Input should be ").removeprefix("Input should ")
    return text[:1].lower() + text[1:]


def _form(pattern: str) -> str:
    """Return what a pattern asks for; the patterns of names are told in words."""
    if not pattern.startswith("^[a-z"):
        return f"text of the form {pattern}"
    name = "a name of lower-case letters, digits, _ and -"
    return f"{name}, or two such with / between" if "/" in pattern else name


def _with_subject(name: str, sentence: str) -> str:
    """Return a validator's sentence with the name of its setting in front."""
    if sentence.split(" ", 1)[0] in _PREDICATES:
        return f"{name or 'The file'} {sentence}"
    return f"{name}: {sentence}" if name else sentence[:1].upper() + sentence[1:]
