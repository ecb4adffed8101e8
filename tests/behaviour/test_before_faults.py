"""With every fault off the base world is one that a reader would believe: waits, stays and summaries.

The bounds are wide of what the district gives over many replications (docs/model.md, "Capacity before
faults"), so that another seed passes too, and narrow enough that a clinic that stands empty, a ward that
nobody leaves or a summary that nobody writes does not.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flowsim.config.compose import load_study
from flowsim.config.loading import load
from flowsim.config.schema import Design, TopologyFile
from flowsim.config.twins import same_adoption_twin
from flowsim.episodes import Episodes, EpisodesFold
from flowsim.journal import RunHeader
from flowsim.plan import build_plan
from flowsim.simulation import simulate

ROOT = Path(__file__).parents[2]
REPLICATIONS = 6
WEEK = 7.0


@cache
def design() -> Design:
    """Return the district's settled view with two practices on the platform, and the shipped rates."""
    study = load_study(ROOT / "experiments" / "adoption_levels.yaml")
    two = next(p.design for p in study.designs() if p.design.adoption.gp_practices == "2 practices")
    return two.model_copy(update={"topology": load(ROOT / "topologies" / "district.yaml", TopologyFile)})


def capacity(design: Design, factor: float) -> Design:
    """Return a design with so many times the slots of its clinics."""
    topology = design.topology
    organisations = []
    for organisation in topology.organisations:
        services = [
            s.model_copy(update={"slots_per_week": s.slots_per_week * factor}) if s.slots_per_week else s
            for s in organisation.services
        ]
        organisations.append(organisation.model_copy(update={"services": tuple(services)}))
    return design.model_copy(
        update={"topology": topology.model_copy(update={"organisations": tuple(organisations)})}
    )


def run(design: Design, replication: int) -> Episodes:
    plan = build_plan(design)
    fold = EpisodesFold()
    fold.start(RunHeader.from_dict(plan.header))
    simulate(plan, replication, fold.take)
    return fold.finish()


@cache
def without_faults() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cases and the deliveries of some replications with every fault off."""
    runs = [run(same_adoption_twin(design()), r) for r in range(1, REPLICATIONS + 1)]
    frames = [
        [frame.assign(replication=r) for r, frame in enumerate(part)]
        for part in ([e.cases for e in runs], [e.deliveries for e in runs])
    ]
    return pd.concat(frames[0]), pd.concat(frames[1])


def weeks_to_care(cases: pd.DataFrame, urgency: str) -> float:
    chosen = cases[(cases.pathway == "gp_referral") & (cases.urgency == urgency) & cases.started]
    return float(chosen.time_to_care_days.median() / WEEK)


@pytest.mark.parametrize(
    ("urgency", "shortest", "longest"), [("urgent", 1, 2), ("soon", 4, 6), ("routine", 8.3, 11)]
)
def test_waits_after_a_referral_follow_urgency(urgency: str, shortest: float, longest: float) -> None:
    cases, _ = without_faults()
    assert shortest < weeks_to_care(cases, urgency) < longest


def test_nobody_is_left_without_care_when_nothing_goes_wrong() -> None:
    cases, _ = without_faults()
    with_care = cases[cases.has_care]
    assert with_care.not_started.mean() < 0.002
    assert with_care.delayed_start.mean() < 0.02


def test_about_one_discharge_ready_stay_in_seven_waits_and_then_for_some_days() -> None:
    cases, _ = without_faults()
    days = ((cases.discharged_hours - cases.discharge_ready_hours) / 24.0).dropna()
    assert len(days) > 1000
    assert 0.04 < (days > 1.0).mean() < 0.25
    assert 2.0 < days[days > 1.0].mean() < 9.0


def test_summaries_are_sent_as_the_national_figures_say() -> None:
    cases, deliveries = without_faults()
    kept = deliveries[(deliveries.kind == "discharge_summary") & (deliveries["copy"] == 0)]
    stays = cases[cases.discharged_hours + WEEK * 24.0 < cases.horizon_hours]
    stays = stays[stays.pathway.isin(["admission", "discharge_to_municipality"])]
    joined = stays.merge(kept[["replication", "case", "sent_hours"]], on=["replication", "case"], how="left")
    days = ((joined.sent_hours - joined.discharged_hours) / 24.0).fillna(np.inf)
    assert (days <= 1.0).mean() == pytest.approx(0.69, abs=0.03)
    assert (days <= WEEK).mean() == pytest.approx(0.881, abs=0.02)


def test_health_information_mostly_comes_within_a_day() -> None:
    _, deliveries = without_faults()
    information = deliveries[deliveries.kind == "health_information"]
    assert 0.8 < (information.received_hours <= information.deadline_hours).mean() < 0.99


def test_nothing_is_lost_and_next_to_nothing_late_when_nothing_goes_wrong() -> None:
    _, deliveries = without_faults()
    fates = deliveries.fate.value_counts(normalize=True)
    assert fates.get("lost", 0.0) == fates.get("recovered", 0.0) == 0.0
    assert fates.get("waiting", 0.0) < 0.001
    assert fates["late"] < 0.01


def test_slots_move_the_routine_and_not_the_urgent() -> None:
    twin = same_adoption_twin(design())
    few, many = (run(capacity(twin, factor), 1).cases for factor in (0.95, 1.05))
    assert weeks_to_care(many, "routine") + 1.5 < weeks_to_care(few, "routine") < 12.5
    assert weeks_to_care(few, "urgent") == pytest.approx(weeks_to_care(many, "urgent"), abs=0.2)
    assert few[few.pathway == "gp_referral"].not_started.mean() < 0.02


def test_a_letter_to_a_patient_is_no_missing_address() -> None:
    deliveries = run(design(), 1).deliveries
    letters = deliveries[(deliveries.receiver_party == "patient") & (deliveries.channel == "letter")]
    assert len(letters) > 1000
    assert not (letters.fault == "no_endpoint").any()
