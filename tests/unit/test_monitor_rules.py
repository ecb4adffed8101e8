"""Files of rules: what they may say, what is refused with its line, and what becomes of them in numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowsim.catalogue import catalogue_path
from flowsim.config.kinds import kind_of
from flowsim.config.limits import Limit, SoftAndHard
from flowsim.config.loading import load, load_yaml, validate
from flowsim.config.rules_file import RECEIPTS, RULE_CLASSES, MonitorFile, ResponseRule
from flowsim.errors import FaultsInFile
from flowsim.experiment.checks import check_file
from flowsim.experiment.rules import RuleOff, resolve_rules
from flowsim.monitor.rules import SOURCE_OF, rule_name
from flowsim.observe.directory import Directory, Unit
from flowsim.units import Duration, parse_duration
from flowsim.vocabulary import Channel, Fault, Level, Party, RuleKind, Seen, Source, Urgency

DIRECTORY = Directory(
    (Unit("gp", "Practice", party=Party.gp), Unit("intake", "Intake", party=Party.hospital)),
    ("referral/refer", "letter/letter"),
    ("consultations", "outpatient_visits", "admissions", "discharges", "examinations", "visits"),
)
EVERY_SOURCE = tuple(Source)
HEAD = "basis: {source: Invented for tests., certainty: assumed}\n"
RECEIPT = """
  - id: receipt
    kind: response
    why: A receipt comes.
    when: {seen: [sent], channels: [edi]}
    then: {seen: [transport_receipt]}
    soft: 1 day
    hard: 4 days
"""
COUNT = """
  - id: count
    kind: balance
    why: As many come as go.
    when: {seen: [ordered]}
    then: {seen: [sent]}
    by: [sender]
    most: 10
    share: 4 %
    level: hard
"""
RATE = """
  - id: rate
    kind: rate_change
    why: Letters keep up.
    when: {seen: [sent]}
    activity: [visits]
    by: [message]
    share: 0.5
    false_alarm: 1 year
    training: 4 weeks
"""
IDLE = """
  - id: idle
    kind: idle
    why: A list is read.
    when: {seen: [accepted]}
    then: {seen: [opened]}
    most: 4
    hard: 2 working days
"""
TWICE = """
  - id: twice
    kind: at_most
    why: Once only.
    when: {seen: [accepted]}
    hard: 4 weeks
"""
GONE = """
  - id: gone
    kind: persistence
    why: It leaves with an event.
    when: {seen: [on_list]}
    then: {seen: [closed]}
    level: hard
"""
HEARD = """
  - id: heard
    kind: heartbeat
    why: It is heard.
    sources: [orders, sent_log]
    soft: 1 day
"""


def read(tmp_path: Path, *rules: str, head: str = HEAD) -> MonitorFile:
    path = tmp_path / "rules.yaml"
    path.write_text(head + "rules:" + "".join(rules), encoding="utf-8")
    return load(path, MonitorFile)


def fault(tmp_path: Path, *rules: str, head: str = HEAD) -> str:
    with pytest.raises(FaultsInFile) as caught:
        read(tmp_path, *rules, head=head)
    assert len(caught.value.faults) == 1, str(caught.value)
    return str(caught.value.faults[0])


def shipped() -> MonitorFile:
    return load(catalogue_path("monitor", "rules"), MonitorFile)


# --- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "old", "new", "line", "told"),
    [
        (RECEIPT, "transport_receipt", "transport_reciept", 7, "Did you mean 'transport_receipt'?"),
        (RECEIPT, "[sent]", "[snet]", 6, "Did you mean 'sent'?"),
        (RECEIPT, "channels: [edi]", "channels: [email]", 6, "'edi'"),
        (RECEIPT, "hard: 4 days", "hard: 0 days", 9, "must be longer than nothing"),
        (RECEIPT, "hard: 4 days", "hard: -4 days", 9, "must not be negative"),
        (RECEIPT, "hard: 4 days", "hard: 4 months", 9, "must not be in months"),
        (RECEIPT, "hard: 4 days", "hard: 12 h", 3, "is not longer than its soft one"),
        (RECEIPT, "soft: 1 day", "soft: 5 working days", 3, "needs hard in working days too"),
        (RECEIPT, "hard: 4 days", "hard: 0.5 working days", 3, "is not longer than its soft one"),
        (RECEIPT, "channels: [edi]", "channels: [edi, platform]", 3, "none exists on 'platform'"),
        (RECEIPT, ", channels: [edi]", ", channels: [letter]", 3, "none exists on 'letter'"),
        (
            RECEIPT,
            ", channels: [edi]",
            ", channels: [portal, phone]",
            3,
            "none exists on 'portal' or 'phone'",
        ),
        (RECEIPT, ", channels: [edi]", "", 3, "receipts exist only on 'edi'"),
        (RECEIPT, "[edi]", "[edi], receiver_parties: [patient]", 3, "'patient' has no electronic address"),
        (RECEIPT, "[transport_receipt]", "[sent]", 3, "a then that is its own when"),
        (RECEIPT, "why:", "by: [reciever]\n    why:", 5, "Did you mean 'receiver'?"),
        (RECEIPT, "why:", "by: [key, unit]\n    why:", 3, "a key stands alone"),
        (RECEIPT, "why:", "by: []\n    why:", 3, "needs at least one column"),
        (RECEIPT, "why:", "guess: [unwatchd]\n    why:", 5, "Did you mean 'unwatched'?"),
        (RECEIPT, "response", "respons", 4, "Did you mean 'response'?"),
        (RECEIPT, "soft:", "sofft:", 8, "Did you mean 'soft'?"),
        (RECEIPT, "    soft: 1 day\n    hard: 4 days\n", "", 3, "needs a limit"),
        (RECEIPT, "soft: 1 day", "by_urgency: {urgent: {hard: 1 day}}", 3, "give one"),
        (RECEIPT, "hard: 4 days", "hard: {value: 4 days, range: [5 days, 6 days]}", 9, "outside its range"),
        (COUNT, "by: [sender]", "by: [key]", 8, "must be"),
        (COUNT, "most: 10", "most: -1", 9, "at least 0"),
        (COUNT, "level: hard", "level: strong", 11, "'soft' or 'hard'"),
        (COUNT, "share: 4 %", "every: 0 h", 3, "longer than nothing"),
        (RATE, "    training: 4 weeks\n", "", 3, "'training' is missing"),
        (RATE, "training: 4 weeks", "training: 12 h", 3, "needs a training longer than a bucket"),
        (RATE, "share: 0.5", "share: 2", 3, "needs a share below 1"),
        (RATE, "    activity: [visits]\n", "", 3, "needs either activity (a volume) or then"),
        (RATE, "activity: [visits]", "then: {seen: [received]}\n    hard: 1 day", 3, "needs a share above 1"),
        (IDLE, "hard: 2 working days", "soft: 3 working days\n    hard: 2 working days", 3, "not longer"),
        (TWICE, "hard: 4 weeks", "soft: 1 day\n    hard: 4 weeks", 3, "needs one limit, soft or hard"),
        (GONE, "[on_list]", "[accepted]", 3, "only a snapshot shows what stands on a list"),
        (HEARD, "[orders, sent_log]", "[order]", 6, "Did you mean 'orders'?"),
        (HEARD, "[orders, sent_log]", "[]", 6, "at least 1"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_meant(
    tmp_path: Path, rule: str, old: str, new: str, line: int, told: str
) -> None:
    assert old in rule
    text = fault(tmp_path, rule.replace(old, new, 1))
    assert f"rules.yaml:{line} " in text
    assert told in text


def test_receipts_are_not_expected_by_counts_shares_or_lists_either(tmp_path: Path) -> None:
    received = COUNT.replace("[ordered]", "[sent]").replace(
        "{seen: [sent]}\n    by", "{seen: [transport_receipt]}\n    by"
    )
    assert "receipts exist only on 'edi'" in fault(tmp_path, received)
    share = RATE.replace("activity: [visits]", "then: {seen: [application_receipt]}\n    hard: 1 day")
    assert "receipts exist only on 'edi'" in fault(tmp_path, share.replace("0.5", "3"))
    also = RECEIPT.replace(", channels: [edi]", "").replace(
        "    soft:", "    also: {seen: [opened]}\n    soft:"
    )
    assert "receipts exist only on 'edi'" in fault(tmp_path, also)


def test_a_rejection_that_must_be_followed_up_is_no_awaited_receipt(tmp_path: Path) -> None:
    rule = RECEIPT.replace("[sent]", "[application_rejected]").replace(", channels: [edi]", "")
    read(tmp_path, rule.replace("[transport_receipt]", "[followed_up]"))


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "has two rules that are called receipt" in fault(tmp_path, RECEIPT, RECEIPT)


def test_an_order_may_be_followed_by_another_kind_of_order(tmp_path: Path) -> None:
    rule = RECEIPT.replace("[sent], channels: [edi]", "[ordered], messages: [lab_order]")
    read(tmp_path, rule.replace("[transport_receipt]", "[ordered], messages: [lab_result]"))


@pytest.mark.parametrize(
    ("soft", "hard"), [("4 h", "1 working day"), ("1 working day", "2 working days"), ("1 h", "2 h")]
)
def test_limits_that_rise_on_any_day_are_taken(soft: str, hard: str) -> None:
    pair = SoftAndHard(soft=Limit(value=soft), hard=Limit(value=hard))
    assert (pair.soft, pair.hard) == (Limit(value=soft), Limit(value=hard))


# --- words to numbers -----------------------------------------------------------------------------------


def test_every_observation_stands_in_a_log_and_every_kind_of_rule_has_its_class() -> None:
    assert set(SOURCE_OF) == set(Seen) - {Seen.heartbeat}
    assert set(RULE_CLASSES) == set(RuleKind)


def test_a_rule_in_words_becomes_one_in_numbers(tmp_path: Path) -> None:
    rule = RECEIPT.replace("channels: [edi]", "channels: [edi], units: [gp], templates: [letter/letter]")
    (found,) = resolve_rules(read(tmp_path, rule), DIRECTORY, EVERY_SOURCE).rules
    assert found.kind == RuleKind.response
    assert found.when.seen == {Seen.sent} and found.when.channels == {Channel.edi}
    assert found.when.units == {0} and found.when.templates == {1}
    assert (found.soft, found.hard) == (Duration(24.0), Duration(96.0))
    assert found.sources == {Source.sent_log, Source.transport_receipts}
    assert found.by == ("key",)


def test_limits_by_urgency_make_a_rule_each_in_order_of_urgency(tmp_path: Path) -> None:
    limits = "by_urgency: {routine: {soft: 3 days}, urgent: {soft: 1 day, hard: 2 working days}}"
    rule = RECEIPT.replace("soft: 1 day\n    hard: 4 days", limits)
    found = resolve_rules(read(tmp_path, rule), DIRECTORY, EVERY_SOURCE).rules
    assert [each.id for each in found] == ["receipt.urgent", "receipt.routine"]
    assert {rule_name(each.id) for each in found} == {"receipt"}
    assert [each.when.urgencies for each in found] == [{Urgency.urgent}, {Urgency.routine}]
    assert [each.hard for each in found] == [Duration(working_days=2.0), None]


def test_a_heartbeat_makes_a_rule_for_each_source(tmp_path: Path) -> None:
    found = resolve_rules(read(tmp_path, HEARD), DIRECTORY, [Source.orders])
    assert [(each.id, each.sources) for each in found.rules] == [("heard.orders", {Source.orders})]
    assert found.off == (RuleOff("heard.sent_log", "sent_log is off"),)


def test_a_rule_is_off_without_a_source_that_it_needs_but_not_without_one_that_it_may_use(
    tmp_path: Path,
) -> None:
    rule = RECEIPT.replace("    soft:", "    also: {seen: [order_ended]}\n    soft:")
    file = read(tmp_path, rule)
    with_orders = resolve_rules(file, DIRECTORY, EVERY_SOURCE).rules[0]
    without = resolve_rules(file, DIRECTORY, [Source.sent_log, Source.transport_receipts]).rules[0]
    assert with_orders.then is not None and Seen.order_ended in with_orders.then.seen
    assert Source.orders in with_orders.sources
    assert without.then is not None and without.then.seen == {Seen.transport_receipt}
    assert without.sources == {Source.sent_log, Source.transport_receipts}
    off = resolve_rules(file, DIRECTORY, [Source.orders]).off
    assert off == (RuleOff("receipt", "sent_log and transport_receipts are off"),)


@pytest.mark.parametrize(
    ("rule", "old", "new", "why"),
    [
        (RECEIPT, "[sent]", "[sent], units: [intakes]", "no unit 'intakes'. Did you mean 'intake'?"),
        (RECEIPT, "[sent]", "[sent], templates: [letter/leter]", "Did you mean 'letter/letter'?"),
        (RATE, "[visits]", "[visit]", "no activity 'visit'. Did you mean 'visits'?"),
        (RATE, "kind:", "on: false\n    kind:", "the file has it off"),
    ],
)
def test_a_rule_whose_names_the_logs_do_not_have_is_off_and_says_so(
    tmp_path: Path, rule: str, old: str, new: str, why: str
) -> None:
    found = resolve_rules(read(tmp_path, rule.replace(old, new)), DIRECTORY, EVERY_SOURCE)
    assert found.rules == () and len(found.off) == 1 and why in found.off[0].why


def test_twice_as_strict_halves_what_is_allowed_and_what_is_remembered_stays(tmp_path: Path) -> None:
    rules = (RECEIPT, COUNT, RATE, IDLE, TWICE, GONE)
    strict = HEAD + "strictness: 2\n"
    once = {r.id: r for r in resolve_rules(read(tmp_path, *rules), DIRECTORY, EVERY_SOURCE).rules}
    twice = {
        r.id: r for r in resolve_rules(read(tmp_path, *rules, head=strict), DIRECTORY, EVERY_SOURCE).rules
    }
    assert twice["receipt"].hard == Duration(48.0) and once["receipt"].hard == Duration(96.0)
    assert (twice["count"].most, twice["count"].share) == (5, 0.02)
    assert twice["rate"].share == once["rate"].share == 0.5
    assert twice["rate"].false_alarm == Duration(once["rate"].false_alarm.hours / 2)  # type: ignore[union-attr]
    assert (twice["idle"].most, twice["idle"].hard) == (2, Duration(working_days=1.0))
    assert twice["twice"] == once["twice"] and twice["gone"] == once["gone"]
    both = resolve_rules(read(tmp_path, *rules, head=strict), DIRECTORY, EVERY_SOURCE, strictness=2.0)
    assert both.rules[0].hard == Duration(24.0)


def test_a_rule_without_a_limit_of_time_has_its_level_where_a_limit_would_stand(tmp_path: Path) -> None:
    found = {r.id: r for r in resolve_rules(read(tmp_path, GONE, COUNT, RATE), DIRECTORY, EVERY_SOURCE).rules}
    assert (found["gone"].soft, found["gone"].hard) == (None, Duration())
    assert (found["count"].soft, found["count"].hard) == (None, Duration())
    assert (found["rate"].soft, found["rate"].hard) == (Duration(), None)


# --- the shipped rules ----------------------------------------------------------------------------------


def test_the_shipped_rules_are_known_as_such_and_all_can_be_evaluated() -> None:
    path = catalogue_path("monitor", "rules")
    assert kind_of(load_yaml(path)) == "monitor"
    assert check_file(path).summary.startswith("monitor: ")
    assert resolve_rules(shipped(), DIRECTORY, EVERY_SOURCE).off == ()


def test_there_is_a_shipped_rule_of_every_kind_and_for_every_fault_that_can_be_seen() -> None:
    rules = resolve_rules(shipped(), DIRECTORY, EVERY_SOURCE).rules
    assert {rule.kind for rule in rules} == set(RuleKind)
    # A content check is not there, so nothing shows an incomplete message (docs/monitor.md).
    assert {fault for rule in rules for fault in rule.guess} == set(Fault) - {Fault.none, Fault.incomplete}


def test_no_shipped_rule_points_at_what_never_left_from_receipts_alone() -> None:
    receipts = (Source.sent_log, Source.transport_receipts, Source.application_receipts)
    rules = resolve_rules(shipped(), DIRECTORY, receipts).rules
    guessed = {fault for rule in rules for fault in rule.guess}
    assert guessed.isdisjoint({Fault.not_emitted, Fault.copy_omitted, Fault.unwatched, Fault.vanished})
    assert {Fault.undelivered, Fault.no_receipt, Fault.rejected} <= guessed


def test_shipped_limits_have_a_range_and_hold_more_than_a_healthy_system_takes() -> None:
    """The longest healthy waits, measured with every fault off (docs/monitor.md), stay below hard limits."""
    longest_working_days = {"opened": 2.83, "opened_soon": 2.83}
    longest_hours = {"transport_receipt": 7.6, "application_receipt": 7.6, "arrival": 1.0, "emission": 0.0}
    for rule in shipped().rules:
        if not isinstance(rule, ResponseRule):
            continue
        pairs = rule.by_urgency.values() if rule.by_urgency else (rule,)
        for pair in pairs:
            assert all(limit.range is not None for limit in (pair.soft, pair.hard) if limit is not None)
            if pair.hard is not None and rule.id in longest_working_days:
                assert pair.hard.value.working_days > longest_working_days[rule.id]
            if pair.hard is not None and rule.id in longest_hours:
                assert pair.hard.value.hours > longest_hours[rule.id]


def test_no_hard_limit_of_the_shipped_rules_judges_what_patients_end_by_withdrawing() -> None:
    """A referral of somebody who withdraws has no answer and no care: only soft alerts may come of that."""
    for rule in shipped().rules:
        waits_for_care = isinstance(rule, ResponseRule) and rule.by == ("subject",)
        if waits_for_care and rule.id != "sample_answered":  # nobody withdraws from a blood sample
            levels = rule.by_urgency.values() if rule.by_urgency else (rule,)
            assert all(pair.hard is None for pair in levels), rule.id


def test_receipts_are_awaited_on_e_messages_only() -> None:
    for rule in shipped().rules:
        then = getattr(rule, "then", None)
        if then is not None and set(then.seen) <= RECEIPTS:
            assert rule.when.channels == ("edi",), rule.id


def test_levels_have_an_order() -> None:
    assert Level.soft < Level.hard and parse_duration("2 days") == Duration(48.0)


def test_a_path_reaches_any_limit_of_the_shipped_rules() -> None:
    document = load_yaml(catalogue_path("monitor", "rules"))
    changed = validate(document.put("rules.emission.hard", "6 days"), MonitorFile)
    emission = next(rule for rule in changed.rules if rule.id == "emission")
    assert isinstance(emission, ResponseRule) and emission.hard is not None
    assert emission.hard.value == Duration(144.0)
