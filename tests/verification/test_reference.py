"""The kernel's means agree with those of an independent SimPy model, one process for each message."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest

from flowsim.config.compose import load_study
from flowsim.config.experiment_file import Design
from flowsim.plan import Plan, build_plan
from flowsim.simulation import simulate
from flowsim.units import Duration
from flowsim.vocabulary import Event, State, Urgency

ROOT = Path(__file__).parents[2]
PRACTICES, AREAS, ASSESS, CARE = 60, 30, 2, 8
KERNEL_RUNS, REFERENCE_RUNS = 16, 4


def reference_model() -> Any:
    """Return tests/reference/messages.py as a module."""
    path = ROOT / "tests" / "reference" / "messages.py"
    spec = importlib.util.spec_from_file_location("reference_messages", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def small_design() -> Design:
    """Return the benchmark's referral with fewer patients, longer assessments in order of urgency."""
    design = load_study(ROOT / "benchmarks" / "referral" / "experiment.yaml").base
    generate = design.topology.generate
    assert generate is not None
    group = generate.practices[0].model_copy(update={"patients": 200_000})
    topology = design.topology.model_copy(
        update={"generate": generate.model_copy(update={"practices": (group,)})}
    )
    pathway = design.pathways["referral"]
    assess = pathway.steps[ASSESS]
    times = {"low": Duration(0.4), "mode": Duration(1.0), "high": Duration(2.4)}
    minutes = assess.minutes.model_copy(update=times)  # type: ignore[union-attr]
    slower = assess.model_copy(update={"minutes": minutes, "priority": "urgency"})
    steps = tuple(slower if step.id == "assess" else step for step in pathway.steps)
    return design.model_copy(
        update={
            "topology": topology,
            "pathways": {"referral": pathway.model_copy(update={"steps": steps})},
            "observe": Duration(2 * 168.0),
            "follow_up": Duration(4 * 168.0),
            "outages": (),
            "view": "settled",
            "adoption": design.adoption.model_copy(update={"gp_practices": "50 %", "go_live": ()}),
        }
    )


def by_kernel(plan: Plan, replication: int) -> dict[str, float]:
    """Return the compared figures of one replication of the kernel, read from its journal."""
    blocks: list[Any] = []
    simulate(plan, replication, lambda block: blocks.append(block.copy()))
    rows = np.concatenate(blocks)
    created = {int(r["case"]): float(r["time"]) for r in rows[rows["event"] == Event.created]}
    care = rows[(rows["event"] == Event.milestone) & (rows["step"] == CARE)]
    hours = {int(r["case"]): float(r["time"]) - created[int(r["case"])] for r in care}
    at_intake = rows[rows["step"] == ASSESS]
    listed = {int(r["case"]): float(r["time"]) for r in at_intake[at_intake["event"] == Event.listed]}
    waits: dict[str, list[float]] = {"urgent": [], "routine": []}
    for row in at_intake[at_intake["event"] == Event.taken]:
        name = Urgency(int(row["urgency"])).name
        if name in waits:
            waits[name].append(float(row["time"]) - listed[int(row["case"])])
    last = {(int(r["case"]), int(r["delivery"])): int(r["state"]) for r in rows[rows["delivery"] != 0]}
    lost = sum(state == State.silent for state in last.values()) / len(last)
    return figures(created, hours, waits, lost)


def by_reference(model: Any, design: Design, seed: int, per_day: float) -> dict[str, float]:
    """Return the same of one replication of the reference."""
    out = model.Reference(design, seed, PRACTICES, AREAS, per_day).out
    lost = sum(m.silent for m in out.messages) / len(out.messages)
    return figures(out.created, out.care_hours, out.waits, lost)


def figures(
    created: dict[int, float], hours: dict[int, float], waits: dict[str, list[float]], lost: float
) -> dict[str, float]:
    """Return mean hours to care (restricted to four weeks), waits for assessment and the share lost."""
    cohort = [case for case, at in created.items() if at < 2 * 168.0]
    return {
        "hours_to_care": fmean(min(hours.get(case, np.inf), 4 * 168.0) for case in cohort),
        "urgent_wait": fmean(waits["urgent"]),
        "routine_wait": fmean(waits["routine"]),
        "lost_share": lost,
        "cases": float(len(created)),
    }


@pytest.fixture(scope="module")
def both_sides() -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Return the figures of several replications of the kernel and of the reference."""
    design = small_design()
    plan = build_plan(design)
    families, share = plan.arrays.family, plan.arrays.profiles.day_share
    per_day = float((families["per_day"] * share[families["profile"]].max(axis=1)).sum())
    model = reference_model()
    kernel = [by_kernel(plan, replication + 1) for replication in range(KERNEL_RUNS)]
    reference = [by_reference(model, design, seed, per_day) for seed in range(REFERENCE_RUNS)]
    return kernel, reference


@pytest.mark.parametrize("name", ["hours_to_care", "urgent_wait", "routine_wait", "lost_share", "cases"])
def test_the_kernel_and_a_process_for_each_message_agree(
    both_sides: tuple[list[dict[str, float]], list[dict[str, float]]], name: str
) -> None:
    """Means differ by no more than 3.5 standard errors of their difference, which is small enough to tell."""
    kernel, reference = ([run[name] for run in side] for side in both_sides)
    # Both sides vary alike if they agree, so the larger sample says how much.
    error = stdev(kernel) * (1 / len(kernel) + 1 / len(reference)) ** 0.5
    assert fmean(reference) == pytest.approx(fmean(kernel), abs=3.5 * error)
    assert error < 0.08 * fmean(kernel), "too few replications to tell a difference"
