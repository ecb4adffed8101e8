"""Every shipped pathway does what it is for when nothing goes wrong, and the example runs as it stands."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import studies

from flowsim.catalogue import catalogue_path, names
from flowsim.config.compose import load_study
from flowsim.config.loading import load
from flowsim.config.schema import Design, FaultsFile, PathwayFile, TopologyFile
from flowsim.config.twins import same_adoption_twin
from flowsim.episodes import Episodes, EpisodesFold
from flowsim.journal import RunHeader
from flowsim.plan import build_plan
from flowsim.simulation import simulate

ROOT = Path(__file__).parents[2]
PATHWAYS = names("pathways")
HOURS = 24.0


@cache
def base(topology: str) -> Design:
    """Return the settled view with two practices on the platform, and the shipped rates."""
    study = load_study(ROOT / "experiments" / "adoption_levels.yaml")
    two = next(p.design for p in study.designs() if p.design.adoption.gp_practices == "2 practices")
    return two.model_copy(update={"topology": load(ROOT / "topologies" / f"{topology}.yaml", TopologyFile)})


def with_pathways(design: Design, **pathways: PathwayFile) -> Design:
    return design.model_copy(update={"pathways": pathways})


def pathway(name: str, *, times: float = 1.0) -> PathwayFile:
    """Return a shipped pathway with so many times its cases."""
    found = load(catalogue_path("pathways", name), PathwayFile)
    return found.model_copy(update={"scale": found.scale * times})


def run(design: Design, replication: int = 1) -> Episodes:
    plan = build_plan(design)
    fold = EpisodesFold()
    fold.start(RunHeader.from_dict(plan.header))
    simulate(plan, replication, fold.take)
    return fold.finish()


@cache
def calm(name: str, times: float = 1.0) -> Episodes:
    """Return what a pathway alone does in the district with every fault off."""
    return run(with_pathways(same_adoption_twin(base("district")), **{name: pathway(name, times=times)}))


@pytest.mark.parametrize("name", PATHWAYS)
def test_every_message_gets_there_in_time_when_nothing_goes_wrong(name: str) -> None:
    deliveries = calm(name).deliveries
    assert len(deliveries) > 20
    assert set(deliveries.fate.unique()) <= {"on_time", "late", "waiting", "cancelled"}
    assert (deliveries.fate == "late").mean() < 0.02
    assert (deliveries.fate == "waiting").mean() < 0.005


@pytest.mark.parametrize("name", [n for n in PATHWAYS if pathway(n).targets])
def test_care_starts_for_almost_everybody_when_nothing_goes_wrong(name: str) -> None:
    cases = calm(name, 20.0 if name == "hospital_referral" else 1.0).cases
    cases = cases[cases.has_care]
    assert len(cases) > 50
    assert cases.not_started.mean() < 0.005
    assert cases.delayed_start.mean() < 0.03


def test_the_whole_catalogue_at_once_loses_nothing_and_keeps_pace() -> None:
    everything = with_pathways(same_adoption_twin(base("district")), **{n: pathway(n) for n in PATHWAYS})
    episodes = run(everything)
    assert set(episodes.deliveries.pathway.unique()) == set(PATHWAYS)
    fates = episodes.deliveries.fate.value_counts(normalize=True)
    assert fates.get("lost", 0.0) == 0.0
    assert fates["late"] < 0.01
    backlog = episodes.profiles["backlog"]
    inboxes = backlog[backlog.service_kind == "gp_office"].sort_values("day").list_length
    half = len(inboxes) // 2
    assert inboxes[half:].mean() < 2 * inboxes[:half].mean() + 5


def test_a_cancer_pathway_keeps_its_three_limits_for_most() -> None:
    """The order is written at the first visit, and the work-up is finished when its report is dealt with."""
    episodes = calm("hospital_referral", 20.0)
    mail = episodes.deliveries
    first_visit = mail[mail.kind == "radiology_order"].set_index("case").authored_hours
    worked_up = mail[mail.kind == "radiology_report"].set_index("case").done_hours
    cases = (
        episodes.cases.set_index("case").join(first_visit).join(worked_up).dropna(subset=["authored_hours"])
    )
    assert len(cases) > 200
    to_visit = (cases.authored_hours - cases.created_hours) / HOURS
    work_up = ((cases.done_hours - cases.authored_hours) / HOURS).dropna()
    to_treatment = ((cases.care_hours - cases.done_hours) / HOURS).dropna()
    assert (to_visit <= 10).mean() > 0.95
    assert (work_up <= 10).mean() > 0.95
    assert (to_treatment <= 21).mean() > 0.99


def test_stays_have_sent_health_information_before_they_are_ready() -> None:
    episodes = calm("discharge_to_municipality")
    information = episodes.deliveries[episodes.deliveries.kind == "health_information"]
    ready = episodes.cases.set_index("case").discharge_ready_hours
    both = information.join(ready, on="case").dropna(subset=["discharge_ready_hours", "sent_hours"])
    assert len(both) > 100
    assert (both.sent_hours <= both.discharge_ready_hours).mean() > 0.96


def test_ward_and_municipality_talk_about_some_and_each_gets_an_answer() -> None:
    episodes = calm("discharge_to_municipality")
    counts = episodes.deliveries.kind.value_counts()
    share = counts["dialogue_request"] / len(episodes.cases)
    assert 0.2 < share < 0.4
    assert counts["dialogue_reply"] == pytest.approx(counts["dialogue_request"], rel=0.1)


@cache
def unheard(name: str) -> pd.DataFrame:
    """Return the messages of a pathway of which a third was never emitted; all else is as shipped."""
    design = base("minimal")
    faults = design.faults.model_dump(mode="json")
    faults["faults"] = {"not_emitted": faults["faults"]["not_emitted"] | {"rate": 0.33}}
    design = design.model_copy(update={"faults": FaultsFile.model_validate(faults)})
    deliveries = run(with_pathways(design, **{name: pathway(name, times=4.0)})).deliveries
    return deliveries[deliveries.fault == "not_emitted"]


@pytest.mark.parametrize(
    ("name", "order", "answer"),
    [("laboratory_results", "lab_order", "lab_result"), ("radiology", "radiology_order", "radiology_report")],
)
def test_a_lost_answer_is_found_sooner_than_a_lost_order(name: str, order: str, answer: str) -> None:
    lost = unheard(name)
    within_a_week = (lost.found_hours - lost.authored_hours) <= 7 * HOURS
    orders, answers = (within_a_week[lost.kind == kind] for kind in (order, answer))
    assert min(len(orders), len(answers)) > 300
    spread = np.sqrt(answers.mean() / len(answers) + orders.mean() / len(orders))
    assert answers.mean() > orders.mean() + 2 * spread
    assert not (lost[lost.kind == order].found_by == "receiver_misses").any()


def test_the_example_experiment_runs_as_it_stands(tmp_path: Path) -> None:
    from flowsim.experiment.tables import read_csv
    from flowsim.experiment.working import carry_out
    from flowsim.runner import Options, run_study

    study = load_study(ROOT / "docs" / "examples" / "my_experiment.yaml")
    run_study(study, Options(tmp_path / "out"), studies.PROGRAM, carry_out)
    summary = read_csv(tmp_path / "out" / "summary.csv")
    created = summary[(summary.measure == "deliveries_created") & (summary.group == "pathway=ambulant_team")]
    assert len(created) == len(study.points) * 3
    assert created.value.min() > 50
    assert list((tmp_path / "out" / "charts").glob("*.svg"))
