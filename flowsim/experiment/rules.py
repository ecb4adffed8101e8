"""A file of rules and the names behind the numbers → the rules that a monitor's engine takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from flowsim.config.limits import Limit, SoftAndHard
from flowsim.config.rules_file import (
    AnyRule,
    AtMostRule,
    BalanceRule,
    HeartbeatRule,
    IdleRule,
    MonitorFile,
    PersistenceRule,
    PrecedenceRule,
    RateChangeRule,
    ResponseRule,
    What,
)
from flowsim.errors import did_you_mean
from flowsim.monitor.rules import SOURCE_OF, Pattern, Rule
from flowsim.observe.directory import Directory, numbered
from flowsim.units import Duration
from flowsim.vocabulary import Channel, Fault, MessageKind, Party, RuleKind, Seen, Source, Urgency

Word = TypeVar("Word", bound=IntEnum)

#: The level of a rule that has no limit of time: the one of soft and hard that is given.
NO_TIME = Duration()


@dataclass(frozen=True)
class RuleOff:
    """A rule of a file that is not evaluated, and why."""

    id: str
    why: str


@dataclass(frozen=True)
class ResolvedRules:
    """The rules that can be evaluated, in the order of the file, and those that cannot."""

    rules: tuple[Rule, ...]
    off: tuple[RuleOff, ...]


def resolve_rules(
    file: MonitorFile, directory: Directory, sources: Collection[Source], strictness: float = 1.0
) -> ResolvedRules:
    """Return the rules of a file with every name as a number, and which of them are off and why.

    ``sources`` are those that are on. A rule is off where the file says so, where a source that it needs is
    off, or where the directory has none of the units, templates or activities that it names. Limits by
    urgency give a rule each (``opened.urgent``), and so does each source of a heartbeat. ``strictness``
    comes on top of the file's own; 2 halves what is allowed.
    """
    factor = file.strictness * strictness
    rules: list[Rule] = []
    off: list[RuleOff] = []
    for rule in file.rules:
        why = _why_off(rule, directory)
        if why:
            off.append(RuleOff(rule.id, why))
            continue
        for each in _rules(rule, _Names(directory), frozenset(sources), factor):
            missing = sorted(source.name for source in each.sources - frozenset(sources))
            if missing:
                name = each.id if isinstance(rule, HeartbeatRule) else rule.id
                verb = "is" if len(missing) == 1 else "are"
                off.append(RuleOff(name, f"{' and '.join(missing)} {verb} off"))
            else:
                rules.append(each)
    return ResolvedRules(tuple(rules), tuple(dict.fromkeys(off)))


@dataclass(frozen=True)
class _Names:
    """Names of a directory as numbers."""

    directory: Directory

    def pattern(self, what: What, urgencies: tuple[str, ...] = ()) -> Pattern:
        """Return a pattern in words as one in numbers."""
        units = numbered([unit.id for unit in self.directory.units])
        templates = numbered(self.directory.templates)
        return Pattern(
            seen=_members(Seen, what.seen),
            messages=_members(MessageKind, what.messages),
            channels=_members(Channel, what.channels),
            urgencies=_members(Urgency, urgencies or what.urgencies),
            sender_parties=_members(Party, what.sender_parties),
            receiver_parties=_members(Party, what.receiver_parties),
            units=frozenset(units[name] for name in what.units if name in units),
            unit_kinds=frozenset(str(kind) for kind in what.unit_kinds),
            templates=frozenset(templates[name] for name in what.templates if name in templates),
        )


def _members(words: type[Word], names: Collection[str]) -> frozenset[Word]:
    return frozenset(words[name] for name in names)


def _why_off(rule: AnyRule, directory: Directory) -> str:
    """Return why a rule cannot be evaluated at all; "" where it can, as far as its names go."""
    if not rule.on:
        return "the file has it off"
    units = [unit.id for unit in directory.units]
    named: list[tuple[str, tuple[str, ...], Collection[str]]] = []
    for what in (getattr(rule, part, None) for part in ("when", "then")):
        if what is not None:
            named += [("unit", what.units, units), ("template", what.templates, directory.templates)]
    if isinstance(rule, RateChangeRule):
        named.append(("activity", rule.activity, directory.activities))
    for kind, wanted, known in named:
        if wanted and not set(wanted) & set(known):
            return f"the logs have no {kind} '{wanted[0]}'. {did_you_mean(wanted[0], known)}".rstrip()
    return ""


def _rules(rule: AnyRule, names: _Names, on: frozenset[Source], factor: float) -> Iterator[Rule]:
    """Give the rules that one rule of a file stands for."""
    if isinstance(rule, ResponseRule):
        yield from _responses(rule, names, on, factor)
    elif isinstance(rule, HeartbeatRule):
        for name in rule.sources:
            yield Rule(
                id=f"{rule.id}.{name}",
                kind=RuleKind.heartbeat,
                when=Pattern(frozenset([Seen.heartbeat])),
                by=(),
                sources=frozenset([Source[name]]),
                guess=_guess(rule),
                soft=_stricter(rule.soft, factor),
                hard=_stricter(rule.hard, factor),
            )
    elif isinstance(rule, RateChangeRule):
        yield _rate_change(rule, names, factor)
    else:
        yield _plain(rule, names, factor)


def _responses(rule: ResponseRule, names: _Names, on: frozenset[Source], factor: float) -> Iterator[Rule]:
    limits: list[tuple[str, tuple[str, ...], SoftAndHard]] = [(rule.id, (), rule)]
    if rule.by_urgency:
        in_order = sorted(rule.by_urgency, key=lambda name: Urgency[name])
        limits = [(f"{rule.id}.{name}", (name,), rule.by_urgency[name]) for name in in_order]
    then = names.pattern(rule.then)
    sources = _sources(rule.when, rule.then)
    if rule.also is not None:
        # What ends it as well counts where its log is there; a rule is not off for want of it.
        more = frozenset(each for each in names.pattern(rule.also).seen if SOURCE_OF[each] in on)
        then = Pattern(**{**vars(then), "seen": then.seen | more})
        sources |= {SOURCE_OF[each] for each in more}
    for identifier, urgencies, pair in limits:
        yield Rule(
            id=identifier,
            kind=RuleKind.response,
            when=names.pattern(rule.when, urgencies),
            then=then,
            soft=_stricter(pair.soft, factor),
            hard=_stricter(pair.hard, factor),
            by=rule.by,
            guess=_guess(rule),
            sources=sources,
            tolerance=rule.tolerance,
        )


def _rate_change(rule: RateChangeRule, names: _Names, factor: float) -> Rule:
    activities = numbered(names.directory.activities)
    sources = _sources(rule.when, *([rule.then] if rule.then is not None else []))
    return Rule(
        id=rule.id,
        kind=RuleKind.rate_change,
        when=names.pattern(rule.when),
        then=names.pattern(rule.then) if rule.then is not None else None,
        soft=NO_TIME,
        hard=_stricter(rule.hard, 1.0),
        by=rule.by,
        guess=_guess(rule),
        sources=sources | ({Source.activity} if rule.activity else set()),
        every=rule.every,
        share=rule.share,
        false_alarm=_shorter(rule.false_alarm, factor),
        training=rule.training,
        activity=frozenset(activities[name] for name in rule.activity if name in activities),
    )


def _plain(
    rule: PrecedenceRule | BalanceRule | PersistenceRule | AtMostRule | IdleRule,
    names: _Names,
    factor: float,
) -> Rule:
    """Return a rule whose parts need no unfolding; each kind has what it has."""
    then = None if isinstance(rule, AtMostRule) else rule.then
    soft, hard = _levels(rule, factor)
    most = 1
    if isinstance(rule, AtMostRule):
        most = rule.most
    elif isinstance(rule, BalanceRule | IdleRule):
        most = int(rule.most / factor)
    return Rule(
        id=rule.id,
        kind=RuleKind(rule.kind),
        when=names.pattern(rule.when),
        then=names.pattern(then) if then is not None else None,
        soft=soft,
        hard=hard,
        by=("key",) if isinstance(rule, PersistenceRule) else rule.by,
        guess=_guess(rule),
        sources=_sources(rule.when, *([then] if then is not None else [])),
        tolerance=rule.tolerance if isinstance(rule, PrecedenceRule | PersistenceRule) else NO_TIME,
        most=most,
        every=rule.every if isinstance(rule, BalanceRule) else Duration(24.0),
        share=min(rule.share.value / factor, 1.0) if isinstance(rule, BalanceRule) else 0.0,
    )


def _levels(
    rule: PrecedenceRule | BalanceRule | PersistenceRule | AtMostRule | IdleRule, factor: float
) -> tuple[Duration | None, Duration | None]:
    """Return soft and hard of a rule; of one without a limit of time its level, as no time at all."""
    if isinstance(rule, BalanceRule | PersistenceRule):
        return (NO_TIME, None) if rule.level == "soft" else (None, NO_TIME)
    if isinstance(rule, IdleRule):
        return _stricter(rule.soft, factor), _stricter(rule.hard, factor)
    # How long something is remembered is no threshold: shorter would be less strict.
    return _stricter(rule.soft, 1.0), _stricter(rule.hard, 1.0)


def _guess(rule: AnyRule) -> tuple[Fault, ...]:
    return tuple(Fault[name] for name in rule.guess)


def _sources(*patterns: What) -> frozenset[Source]:
    """Return the logs in which all that a rule speaks of stands."""
    found = {SOURCE_OF[Seen[name]] for what in patterns for name in what.seen}
    return frozenset(found)


def _stricter(limit: Limit | None, factor: float) -> Duration | None:
    return None if limit is None else _shorter(limit.value, factor)


def _shorter(length: Duration, factor: float) -> Duration:
    return Duration(length.hours / factor, length.working_days / factor)
