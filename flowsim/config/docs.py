"""The reference page of the configuration and its JSON schemas, generated from the models themselves.

A line under a field in the schema is the comment, the schema text and the reference at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from flowsim.config import (
    economics_file,
    experiment_file,
    limits,
    logs_file,
    pathway_file,
    topology_file,
    values,
)
from flowsim.config.kinds import KINDS
from flowsim.units import parse_money, parse_share

_DURATION: Final = {"title": "duration", "type": "string", "examples": ["4 h", "2 working days", "26 weeks"]}
_SHARE: Final = {
    "title": "share",
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": "^ *[0-9.]+ *%? *$"},
    ],
}
_MONEY: Final = {"title": "money", "type": "string", "examples": ["650 NOK", "80 MNOK", "6.7 billion NOK"]}
_NUMBER: Final = {"title": "number above 0", "type": "number", "exclusiveMinimum": 0}
_PRACTICES: Final = {
    "title": "practices",
    "anyOf": [{"type": ["string", "number"]}, {"type": "array", "items": {"type": "string"}}],
    "examples": ["25 %", "2 practices"],
}
_STAFF: Final = {"title": "staff", "anyOf": [{"type": "integer", "minimum": 0}, {"const": "unlimited"}]}

#: Lists of words longer than this are named, not written out in every row.
_WORDS_MAX: Final = 12

_HEAD: Final = """\
# Configuration

Every file that flowsim reads, key by key. This page is generated from the models
(`flowsim schema --docs docs/configuration.md`) and a test keeps it current.

Durations are text with a unit: `4 h`, `30 min`, `3 days`, `26 weeks`, `2 working days`. Shares are `20 %` or
`0.2`, sums of money `650 NOK`, `80 MNOK` or `6.7 billion NOK`. Unknown keys are refused. An experiment may
build on another with `base:`; mappings are then merged key by key, and everything else is replaced.

`vary:` takes dotted paths and makes the full grid, `scenarios:` names single design points, `change:` sets
something in every scenario. A path reaches any part, items of a list by their `id`, such as
`topology.organisations.st_olavs.services.intake_surgery.staff`.
"""

_INTRODUCTIONS: Final = {
    "experiment": "Experiment file",
    "topology": "Topology file",
    "pathway": "Pathway file",
    "channels": "Channels file",
    "faults": "Faults file",
    "defects": "Defects file",
    "people": "People file",
    "levers": "Levers file",
    "economics": "Economics file",
    "monitor": "Monitor file",
    "routing": "Routing file",
    "logs": "Logs file",
    "response": "Response file",
}


class _Schema(GenerateJsonSchema):
    """Says what a file may hold, where a model takes more than its own types (text for durations, …)."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """Return what may stand before a value is made into the model's own type."""
        function = schema["function"]["function"]
        whole = _WHOLE.get(function)
        if whole is not None:
            return dict(whole)
        words = _closed_list(function)
        if words:
            return {"type": "string", "enum": words}
        inner = super().function_before_schema(schema)
        plain = _PLAIN_FORMS.get(getattr(function, "__func__", function))
        return inner if plain is None else {"anyOf": [inner, dict(plain[1])], "title": plain[0]}


#: The functions that read what a file says (private to their modules), and the whole of what they take.
_WHOLE: Final[dict[Any, JsonSchemaValue]] = {
    parse_share: _SHARE,
    parse_money: _MONEY,
    values._duration: _DURATION,  # noqa: SLF001
    values._hours_only: _DURATION,  # noqa: SLF001
    experiment_file._practices: _PRACTICES,  # noqa: SLF001
    topology_file._staff: _STAFF,  # noqa: SLF001
}
#: The functions that take a plain value beside what a model says, with the name of the whole.
_PLAIN_FORMS: Final[dict[Any, tuple[str, JsonSchemaValue]]] = {
    values._distribution: ("distribution", _DURATION),  # noqa: SLF001
    values.Estimate._plain.__func__: ("estimate", _SHARE),  # noqa: SLF001
    limits.Limit._plain.__func__: ("limit", _DURATION),  # noqa: SLF001
    logs_file.Lasting._plain.__func__: ("length of time with its source", _DURATION),  # noqa: SLF001
    economics_file.Money._plain.__func__: ("money with its source", _MONEY),  # noqa: SLF001
    economics_file.Number._plain.__func__: ("number with its source", _NUMBER),  # noqa: SLF001
}


def _closed_list(function: object) -> list[str]:
    """Return the legal words of a validator made by ``pathway_file._member``, else nothing."""
    if getattr(function, "__module__", "") != pathway_file.__name__:
        return []
    cells = getattr(function, "__closure__", None) or ()
    found = [cell.cell_contents for cell in cells if isinstance(cell.cell_contents, set)]
    return sorted(found[0]) if found else []


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON schema of a kind of file (draft 2020-12), for editors that check while one types."""
    schema = KINDS[kind].model_json_schema(schema_generator=_Schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def configuration_page() -> str:
    """Return the text of ``docs/configuration.md``."""
    parts = [_HEAD]
    told: set[str] = set()
    schemas = _with_own_names({kind: json_schema(kind) for kind in KINDS})
    links = [f"- [{_INTRODUCTIONS[kind]}](#{_anchor(_INTRODUCTIONS[kind])})" for kind in KINDS]
    parts.append("\n".join(links) + "\n")
    for kind, schema in schemas.items():
        parts.append(f"## {_INTRODUCTIONS[kind]}\n\n{schema['description']}\n\n{_table(schema)}")
        for name in _in_order(schema):
            if name not in told:
                told.add(name)
                parts.append(_section(name, schema["$defs"][name]))
    parts.append(_distributions())
    return "\n".join(parts)


def _with_own_names(schemas: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the schemas with a kind's name behind parts that share their name with another kind's part."""
    first: dict[str, Any] = {}
    result = {}
    for kind, schema in schemas.items():
        text = json.dumps(schema)
        for name, part in schema["$defs"].items():
            if first.setdefault(name, part) != part:
                own = f"{name} in a {kind}"
                text = text.replace(f'"#/$defs/{name}"', f'"#/$defs/{own}"').replace(
                    f'"{name}": {{', f'"{own}": {{'
                )
        result[kind] = json.loads(text)
    return result


def _distributions() -> str:
    """Return the section that lists every kind of distribution."""
    kinds = [each.__name__ for each in get_args(values.AnyDistribution)]
    links = ", ".join(f"[{name}](#{_anchor(name)})" for name in kinds)
    text = "A length of time that is drawn: a duration alone (always the same), or a mapping with `kind`:"
    return f"## Distributions\n\n{text}\n{links}.\n"


def _section(name: str, schema: Mapping[str, Any]) -> str:
    description = str(schema.get("description", "")).strip()
    if "enum" in schema:
        return f"### {name}\n\n{description}\n\nOne of: {', '.join(f'`{word}`' for word in schema['enum'])}\n"
    if "anyOf" in schema:  # a mapping, or a plain value that stands for it
        mapping, plain = schema["anyOf"]
        also = f"A {_type(plain)} alone stands for `{{value: …}}`."
        return f"### {name}\n\n{description} {also}\n\n{_table(mapping)}"
    in_order = [
        {key: each[key] for key in schema["properties"] if key in each} for each in schema.get("examples", ())
    ]
    examples = "".join(f"\n```yaml\n- {_flow(each)}\n```\n" for each in in_order)
    return f"### {name}\n\n{description}\n{examples}\n{_table(schema)}"


def _flow(value: object) -> str:
    """Return plain data as YAML in a line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_order(schema: Mapping[str, Any]) -> list[str]:
    """Return the names of all parts of a schema, in the order in which a reader meets them."""
    found: list[str] = []

    def visit(part: Mapping[str, Any]) -> None:
        for name in _references(part):
            if name not in found:
                found.append(name)
                visit(schema["$defs"][name])

    visit({key: value for key, value in schema.items() if key != "$defs"})
    return found


def _references(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"].rpartition("/")[2]
        for key, value in part.items():
            if key != "discriminator":
                yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _table(schema: Mapping[str, Any]) -> str:
    """Return a table of a model's keys; nothing for a model without keys."""
    properties = schema.get("properties", {})
    if not properties:
        return ""
    required = set(schema.get("required", ()))
    lines = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    for key, part in properties.items():
        default = "required" if key in required else _default(part.get("default"))
        meaning = str(part.get("description", "")).replace("\n", " ")
        cells = [f"`{key}`", _type(part), default, meaning]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _default(value: object) -> str:
    if value is None:
        return "none"
    if value in ("", [], {}):
        return "empty"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value, ensure_ascii=False)}`"


_NAMED: Final = {
    "duration": "duration",
    "share": "share",
    "money": "sum of money",
    "practices": "share, number of practices, or list of ids",
    "staff": 'whole number, or "unlimited"',
    "distribution": "[distribution](#distributions)",
}
_PLAIN: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "none",
    "object": "mapping",
}


def _type(part: Mapping[str, Any]) -> str:
    """Return what a key takes, in words, with links to the parts described elsewhere."""
    title = part.get("title")
    several = part.get("anyOf") or part.get("oneOf") or part.get("allOf")
    if title in _NAMED:
        text = _NAMED[str(title)]
    elif "$ref" in part:
        name = str(part["$ref"]).rpartition("/")[2]
        text = f"[{name}](#{_anchor(name)})"
    elif "enum" in part or "const" in part:
        words = part.get("enum") or [part["const"]]
        many = len(words) > _WORDS_MAX
        text = "word from the [glossary](glossary.md)" if many else ", ".join(f"`{word}`" for word in words)
    elif several:
        found = dict.fromkeys(_type(each) for each in several)
        text = " or ".join(word for word in found if word != "none" or len(found) == 1)
    else:
        text = _container(part) or _single(part)
    return text


def _container(part: Mapping[str, Any]) -> str:
    """Return what a list or an open mapping holds, "" for anything else."""
    if part.get("type") == "array":
        return f"list of {_type(part['items'])}" if isinstance(part.get("items"), Mapping) else "list"
    if part.get("type") == "object" and isinstance(part.get("additionalProperties"), Mapping):
        keys = part.get("propertyNames", {})
        words = f" ({_type(keys)})" if "enum" in keys else ""
        return f"mapping of names{words} to {_type(part['additionalProperties'])}"
    return ""


def _single(part: Mapping[str, Any]) -> str:
    """Return the word for a single value."""
    if part.get("format") in ("date", "date-time"):
        return "date" if part["format"] == "date" else "date and time"
    if "pattern" in part:
        return "name"
    return _range(_PLAIN.get(str(part.get("type")), "anything"), part)


def _range(word: str, part: Mapping[str, Any]) -> str:
    """Return a plain type with its limits."""
    limits = [
        f"{text} {part[key]}"
        for key, text in (
            ("minimum", "from"),
            ("exclusiveMinimum", "above"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
        )
        if key in part
    ]
    return f"{word} {' '.join(limits)}" if limits else word


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
