"""What single pathways of the catalogue say: volumes, limits, templates, and who can miss what."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from flowsim.catalogue import catalogue_path, names
from flowsim.config.compose import load_study
from flowsim.config.loading import load
from flowsim.config.pathway_file import Branch, PathwayFile, Place, Send
from flowsim.config.schema import FaultsFile, TopologyFile
from flowsim.experiment.checks import check_file
from flowsim.topology import Region, build, check_pathway
from flowsim.topology.walks import expected_visits
from flowsim.units import parse_duration
from flowsim.vocabulary import MessageKind, ServiceKind

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
TOPOLOGIES = ["minimal", "district", "trondheim", "midt_norge"]
#: What GPs order from others, and what answers it.
ORDERS = {"lab_order": "lab_result", "radiology_order": "radiology_report"}
#: What comes to its receiver unasked, so that nobody misses it.
UNASKED = {
    "referral", "referral_forwarded", "medical_information", "lab_order", "radiology_order",
    "dialogue_request", "patient_admitted", "discharge_ready", "task", "appointment_letter", "outcome_letter",
}  # fmt: skip


@cache
def pathway(name: str) -> PathwayFile:
    return load(catalogue_path("pathways", name), PathwayFile)


@cache
def faults() -> FaultsFile:
    return load(catalogue_path("faults", "faults"), FaultsFile)


@cache
def region(name: str) -> Region:
    return build(load(ROOT / "topologies" / f"{name}.yaml", TopologyFile))


def per_year(name: str) -> float:
    rate = pathway(name).starts.arrivals.per_year
    assert rate is not None
    return rate


def sent(name: str, message: str, sender: str) -> float:
    """Return how many messages of a kind a sender sends a year in a pathway, for each of what it counts."""
    visits = expected_visits(pathway(name))
    steps = [
        s for s in pathway(name).steps if isinstance(s, Send) and (s.message, s.sender) == (message, sender)
    ]
    return per_year(name) * sum(visits[step.id] for step in steps)


# --- volumes ----------------------------------------------------------------------------------------


def test_referrals_to_specialists_are_part_of_what_the_hospital_leaves() -> None:
    assert per_year("specialist_referral") == pytest.approx(3.0 * 0.137 * 0.2)
    assert per_year("gp_referral") + per_year("specialist_referral") < 3.0 * 0.137


def test_other_hospitals_refer_a_year_what_was_hit_in_twelve_januaries() -> None:
    assert per_year("hospital_referral") * 330_000 == pytest.approx(62 * 12, rel=0.01)


def test_dialogue_adds_up_to_the_national_figures() -> None:
    """3.4 M from GPs to municipalities and 1.8 to 2.2 M back, over 5.4 M inhabitants."""
    from_gp = (
        sent("dialogue", "dialogue_request", "origin")
        + sent("dialogue", "dialogue_reply", "origin")
        + sent("municipal_application", "medical_information", "origin")
    )
    to_gp = (
        sent("dialogue", "dialogue_request", "home_nursing")
        + sent("dialogue", "dialogue_reply", "home_nursing")
        + sent("municipal_letters", "service_notice", "case_office")
        + sent("municipal_letters", "health_information_to_gp", "home_nursing")
        + sent("municipal_application", "service_notice", "case_office")
    )
    assert from_gp == pytest.approx(3.4 / 5.4, rel=0.02)
    assert 1.8 / 5.4 < to_gp < 2.2 / 5.4


def test_letters_from_the_hospital_follow_from_visits_and_planned_stays() -> None:
    visits, stays = 465_651 / 330_000, 62_100 / 330_000
    expected = 0.5 * visits - per_year("gp_referral") + 0.33 * stays
    assert per_year("hospital_letters") == pytest.approx(expected, rel=0.02)


# --- limits, templates, forwarding ------------------------------------------------------------------


def test_the_cancer_pathway_has_its_three_limits() -> None:
    found = pathway("hospital_referral")
    assert found.targets["urgent"].care_within == parse_duration(f"{10 + 10 + 21} days")
    reached = [getattr(step, "name", None) for step in found.steps]
    assert reached.index("custom_1") < reached.index("custom_2") < reached.index("care_started")


def test_a_share_of_cancer_referrals_is_forwarded_and_none_takes_a_slot_or_bed() -> None:
    found = pathway("hospital_referral")
    forwarded = sent("hospital_referral", "referral_forwarded", "referral_intake") / per_year(
        "hospital_referral"
    )
    assert 0.01 < forwarded < 0.2
    assert not [step for step in found.steps if isinstance(step, Place)]


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_whoever_refers_from_another_hospital_is_meant_by_no_other_pathway(name: str) -> None:
    own = {
        service.index
        for ref in (pathway("hospital_referral").starts.at, "hospital/specialised_unit")
        for service in (region(name).services[i] for i in region(name).candidates(ref))
    }
    assert len(own) == 2
    assert {region(name).services[i].kind for i in own} == {ServiceKind.other}
    for other in names("pathways"):
        if other == "hospital_referral":
            continue
        for step in pathway(other).steps:
            refs = [getattr(step, "to", ""), getattr(step, "sender", ""), getattr(step, "service", "")]
            assert not own & {i for ref in refs if ref for i in region(name).candidates(ref)}, other


def test_letters_have_templates_that_no_other_pathway_uses() -> None:
    used = {
        name: {step.template for step in pathway(name).steps if isinstance(step, Send)}
        for name in names("pathways")
    }
    assert used["hospital_letters"] == {"outcome_letter"}
    assert used["municipal_letters"] == {"municipal_letter", "municipal_notice"}
    for name in ("hospital_letters", "municipal_letters"):
        others = set().union(*(templates for other, templates in used.items() if other != name))
        assert not used[name] & others


def test_every_letter_from_the_hospital_has_a_copy_for_the_gp() -> None:
    letters = [step for step in pathway("hospital_letters").steps if isinstance(step, Send)]
    assert [(s.message, s.copies) for s in letters] == [("outcome_letter", ("gp_office",))]


# --- the discharge sequence -------------------------------------------------------------------------


def test_the_discharge_sequence_of_the_region_is_whole() -> None:
    messages = {step.message for step in pathway("discharge_to_municipality").steps if isinstance(step, Send)}
    assert messages >= {
        "patient_admitted", "admission_report", "health_information", "dialogue_request", "dialogue_reply",
        "discharge_ready", "discharge_ready_reply", "discharge_ready_cancelled", "discharge_report",
        "discharge_summary", "patient_discharged",
    }  # fmt: skip


def test_a_patient_is_called_ready_only_after_the_preliminary_summary() -> None:
    order = [step.id for step in pathway("discharge_to_municipality").steps]
    assert (
        order.index("round")
        < order.index("preliminary_summary")
        < order.index("ready")
        < order.index("tell_ready")
    )


# --- who can miss what ------------------------------------------------------------------------------


def ways(message: str) -> set[str]:
    """Return the ways in which a lost message of a kind can come to light."""
    return {name for name, way in faults().found_by.items() if not way.messages or message in way.messages}


@pytest.mark.parametrize(("order", "answer"), ORDERS.items())
def test_a_lost_order_is_quieter_than_a_lost_answer(order: str, answer: str) -> None:
    """Whoever can find a lost order can find a lost answer, and somebody more can."""
    assert ways(order) < ways(answer)
    assert "receiver_misses" in ways(answer) - ways(order)


def test_nobody_misses_what_comes_unasked_and_every_kind_is_decided() -> None:
    expected = set(faults().found_by["receiver_misses"].messages)
    assert not expected & UNASKED
    beside = {"misdelivery_notice", "discharge_ready_cancelled", "health_information_to_gp"}
    assert expected | UNASKED | beside == set(MessageKind.__members__)


# --- the example that an analyst copies -------------------------------------------------------------


def test_the_example_pathway_fits_the_minimal_topology_and_is_whole() -> None:
    found = load(EXAMPLES / "my_pathway.yaml", PathwayFile)
    assert check_pathway(region("minimal"), found) == []
    assert found.id not in names("pathways")
    assert {type(step).__name__ for step in found.steps} >= {"Send", "Work", "Wait", "Branch", "Reach", "End"}
    assert any(isinstance(step, Branch) for step in found.steps)
    for step in found.steps:
        if isinstance(step, Send):
            assert step.deadline is not None


def test_the_example_experiment_is_valid_and_small() -> None:
    checked = check_file(EXAMPLES / "my_experiment.yaml")
    assert checked.warnings == ()
    assert "4 scenarios" in checked.summary
    study = load_study(EXAMPLES / "my_experiment.yaml")
    example = study.base.pathways["ambulant_team"]
    for target in example.targets.values():
        assert target.delayed_after < study.base.follow_up
    assert study.base.topology.inhabitants <= 10_000
