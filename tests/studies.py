"""A small study, and what stands in for the simulation where a test is about running, not about mail."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pandas as pd

from flowsim.experiment.jobs import Job, Kind, Program
from flowsim.experiment.tables import write_table

ROOT = Path(__file__).parents[1]
PROGRAM = Program("1.0", "kernel", "code")

EXPERIMENT = """\
name: Small
topology: minimal.yaml
pathways: [gp_referral]
start: 2024-01-01
warm_up: 1 week
observe: 2 weeks
follow_up: 3 weeks
seed: 1
adoption:
  gp_practices: 0 %
  joining: {stale_share: 5 %, stale_lag: 4 weeks, old_inbox_read: 50 %}
replications: {at_least: 2, at_most: 2}
vary:
  adoption.gp_practices: [0 %, 100 %]
  rates: [equal, platform_better]
compare: {to: {adoption.gp_practices: 0 %, rates: same}}
"""


def write_study(folder: Path, text: str = EXPERIMENT, name: str = "small.yaml") -> Path:
    """Write an experiment beside the minimal topology, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "topologies" / "minimal.yaml", folder)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def luck(job: Job) -> float:
    """Return a number in [0, 1) that only a job's design and replication decide."""
    digest = blake2b(f"{job.design_key}/{job.replication}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def pretend(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
    """Write what a job would, from its own luck and that of its twins."""
    if job.kind != Kind.scenario:
        frame = pd.DataFrame({"case": [1], "time_to_care_days": [luck(job)]})
        write_table(frame, folder / "times.parquet")
        return {}
    read = sum(
        float(pd.read_parquet(path / "times.parquet")["time_to_care_days"].sum()) for path in twins.values()
    )
    rows = [
        ("referrals_created", "", 1000.0, "deliveries"),
        ("referrals_lost_share", "", luck(job) / 10, "share"),
        ("referrals_lost_share", "channel=edi", luck(job) / 20, "share"),
        ("excess_delay_days_mean", "", read, "days"),
    ]
    write_table(pd.DataFrame(rows, columns=["measure", "group", "value", "unit"]), folder / "summary.parquet")
    (folder / "profiles").mkdir()
    backlog = pd.DataFrame(
        {"day": [1, 2], "service_kind": "clinic", "party": "hospital", "list_length": [3, 4]}
    )
    write_table(backlog, folder / "profiles" / "backlog.parquet")
    return {"deliveries": 5}


def die(job: Job, folder: Path, twins: Mapping[str, Path]) -> dict[str, Any]:
    """Be killed in the middle of one job, and pretend the others."""
    if job.kind == Kind.scenario and job.replication == 2 and "100 %" in job.label:
        os.kill(os.getpid(), signal.SIGKILL)
    return pretend(job, folder, twins)
