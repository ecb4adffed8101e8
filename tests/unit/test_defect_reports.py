"""Who reports a defect, and how often; and that a lever on a class of fault works on its defects too."""

from __future__ import annotations

from typing import Any

from flowsim.plan import Plan
from flowsim.simulation import Clock, Mail
from flowsim.vocabulary import CommandKind, Fault, NoticeKind
from tests.small_worlds import at, one, pathway, plan, read, rows_of, with_defect

HOURS = ", ".join(f"{n} h" for n in range(6))
REFER = "- {id: refer, do: send, message: referral, sender: origin, to: referral_intake, reading: 15 min}"


def faults(**more: Any) -> Any:
    """Return a faults file in which everything that a defect keeps back can be found."""
    ways = ["reconciliation", "referrer_chases", "receiver_misses"]
    none = {"rate": 0, "channels": ["edi"], "found_by": ways}
    return {**read("faults_none"), "faults": {"not_emitted": none, "incomplete": none}, **more}


def reports(given: Plan, *more: Any) -> list[float]:
    """Return when each report of the first defect came, active from the start."""
    heard: list[float] = []

    def live(clock: Clock, mail: Mail) -> Any:
        clock.listen(NoticeKind.defect_reported, lambda notice: heard.append(notice.time))
        mail.command(CommandKind.activate_defect, 0)
        yield clock.timeout(0.0)

    rows_of(given, [*more, live])
    return heard


def test_a_service_reports_a_defect_once_however_many_of_its_messages_it_misses() -> None:
    chase = {"found_by": {"referrer_chases": {"chance": 1.0, "delay": "2 days"}}}
    given = with_defect(plan(pathway(REFER, times=HOURS), faults=faults(**chase)), Fault.not_emitted)
    assert reports(given) == [48.0]


def test_each_item_on_a_list_of_what_did_not_leave_is_a_report() -> None:
    """Else comparing what was ordered with what was sent would hide a defect from those who report it."""
    compare = {"reconciliation": {"every": "24 h", "chance": 1.0}}
    given = with_defect(plan(pathway(REFER, times=HOURS), faults=faults(**compare)), Fault.not_emitted)
    found = reports(given)
    assert len(found) == 6
    assert max(found) <= 5 + 24


def test_whoever_reads_an_incomplete_message_of_a_defect_can_say_so() -> None:
    def missed(chance: float) -> list[float]:
        ways = {"receiver_misses": {"chance": chance, "delay": "1 day"}}
        given = plan(pathway(REFER, times=HOURS), faults=faults(found_by=ways))
        return reports(with_defect(given, Fault.incomplete))

    assert missed(0.0) == []
    assert missed(1.0) == [2.25]  # once, when the first has been read


def test_a_lever_on_a_class_of_fault_works_on_defects_of_that_class() -> None:
    given = with_defect(plan(pathway(REFER, times=HOURS), faults=faults()), Fault.not_emitted)
    begin = at(0, one(CommandKind.activate_defect, 0))

    def hit(dial: float) -> int:
        turned = at(0, one(CommandKind.set_dial, int(Fault.not_emitted), round(1e6 * dial)))
        rows = rows_of(given, [begin, turned])
        return len(set(rows["case"][rows["defect"] == 0].tolist()))

    assert [hit(1.0), hit(0.0)] == [6, 0]
