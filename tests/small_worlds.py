"""Small worlds from the files in ``tests/worlds``, and the rows of their journals as lines to compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from flowsim.config.experiment_file import Design
from flowsim.plan import Plan, build_plan
from flowsim.plan.layout import DEFECT
from flowsim.simulation import Clock, Mail, Process, simulate
from flowsim.vocabulary import JOURNAL_SCHEMA, Channel, CommandKind, Event, Fault, State, copy_of

FOLDER = Path(__file__).parent / "worlds"
EVERYTHING = ("referral", "care", "tasks")
Rows = np.ndarray[Any, Any]

#: A pathway of a test in a line or two: this around its steps.
PATHWAY = """
id: {id}
label: {id}
basis: {{source: Invented for tests., certainty: assumed}}
starts: {{at: {at}, arrivals: {{times: [{times}]}}, urgency: {{routine: 1.0}}}}
steps:
"""


def read(name: str) -> Any:
    """Return a file of the folder as plain data."""
    return parse((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def parse(text: str) -> Any:
    """Return YAML text as plain data."""
    return YAML(typ="safe", pure=True).load(text)


def pathway(
    steps: str, at: str = "practice_1/inbox", times: str = "0 h", name: str = "tiny", **more: Any
) -> Any:
    """Return a pathway of so many steps (YAML), with cases at given times."""
    text = PATHWAY.format(id=name, at=at, times=times) + "\n".join(
        f"  {line}" for line in steps.strip().splitlines()
    )
    return {**parse(text), **more}


def design(
    *pathways: Any,
    topology: Any = "bare",
    channels: Any = "channels_plain",
    faults: Any = "faults_none",
    level: str = "0 %",
    days: float = 20,
    seed: int = 1,
    stale: float = 0.0,
    **more: Any,
) -> Design:
    """Return a design from names of files, or data; Monday 8 January 2024 is its first day."""
    own = [read(p) if isinstance(p, str) else p for p in pathways or EVERYTHING]
    return Design.model_validate({
        "experiment": "test", "scenario": "test", "start": "2024-01-08", "warm_up": "0 h",
        "observe": f"{24 * days} h", "follow_up": "0 h", "seed": seed,
        "adoption": {
            "gp_practices": level,
            "joining": {"stale_share": stale, "stale_lag": "5 days", "old_inbox_read": 0.2},
        },
        "topology": read(topology) if isinstance(topology, str) else topology,
        "channels": read(channels) if isinstance(channels, str) else channels,
        "faults": read(faults) if isinstance(faults, str) else faults,
        "pathways": {p["id"]: p for p in own},
        **more,
    })  # fmt: skip


def plan(*pathways: Any, **settings: Any) -> Plan:
    """Return the plan of such a design."""
    return build_plan(design(*pathways, **settings))


@cache
def busy_plan(**settings: Any) -> Plan:
    """Return the plan of the region in which every step kind is walked and every fault strikes."""
    given = {"topology": "region", "channels": "channels_rough", "faults": "faults_many", "stale": 0.2}
    return plan(**{**given, **settings})


def with_defect(plan: Plan, *faults: Fault, chance: float = 1.0, **only: int) -> Plan:
    """Return the plan with a latent defect for each fault, that hits what ``only`` says."""
    defect = np.zeros(len(faults), DEFECT)
    for name in ("template", "channel", "organisation", "sender", "receiver"):
        defect[name] = only.get(name, -1)
    defect["messages"] = 1 << only["message"] if "message" in only else -1
    defect["hash"], defect["chance"], defect["fault"] = 77 + np.arange(len(faults)), chance, faults
    defect["chance_copy"] = chance
    if only.get("copies_only"):
        defect["chance"] = 0.0
    return replace(plan, arrays=plan.arrays._replace(defect=defect))


def rows_of(
    plan: Plan, processes: Iterable[Process] = (), replication: int = 1, block_rows: int = 1 << 15
) -> Rows:
    """Return all rows of one replication."""
    blocks: list[Rows] = [np.zeros(0, JOURNAL_SCHEMA)]
    simulate(plan, replication, lambda block: blocks.append(block.copy()), processes, block_rows)
    return np.concatenate(blocks)


def digest(rows: Rows) -> str:
    """Return a hash of every column (the bytes between the fields of a row mean nothing)."""
    hashed = blake2b(digest_size=16)
    for name in rows.dtype.names or ():
        hashed.update(name.encode() + np.ascontiguousarray(rows[name]).tobytes())
    return hashed.hexdigest()


def index(plan: Plan, service: str) -> int:
    """Return the number of a service or relay."""
    return [s["id"] for s in plan.header["services"]].index(service)


def short(plan: Plan, service: int) -> str:
    """Return how a service is called in a line: its own name, a practice's inbox by the practice."""
    if service < 0:
        return "-"
    organisation, _, own = str(plan.header["services"][service]["id"]).partition("/")
    if own in ("errors", "inbox"):
        return organisation if own == "inbox" else f"{organisation}/errors"
    return own or organisation


def lines(plan: Plan, rows: Rows) -> list[str]:
    """Return each row as a line: time, event, step, service, peer, and what else is not as usual."""
    return [_line(plan, row) for row in rows]


def _line(plan: Plan, row: Any) -> str:
    step = plan.header["steps"][row["step"]]["id"] if row["step"] >= 0 else "-"
    words = [
        f"{row['time']:g}",
        Event(row["event"]).name,
        step,
        short(plan, row["service"]),
        short(plan, row["peer"]),
    ]
    if row["list_length"]:
        words.append(f"length={row['list_length']}")
    if row["delivery"]:
        words.append("/".join([
            f"copy{copy_of(int(row['delivery']))}" if copy_of(int(row["delivery"])) else "main",
            Channel(row["channel"]).name if row["channel"] else "ideal",
            f"{row['attempt']}", State(row["state"]).name,
        ]))  # fmt: skip
        words += [Fault(row["fault"]).name] if row["fault"] else []
        words += [f"visit={int(row['delivery']) >> 8 & 0xFFFF}"] if int(row["delivery"]) >> 8 & 0xFFFF else []
    return " ".join(words)


def log(plan: Plan, processes: Iterable[Process] = ()) -> str:
    """Return the whole journal of a plan as lines."""
    return "\n".join(lines(plan, rows_of(plan, processes)))


def same(found: str, expected: str) -> bool:
    """Return whether a journal is what a test says, whatever the indentation; both are shown where not."""
    wanted = "\n".join(line.strip() for line in expected.strip().splitlines())
    assert found == wanted, f"\n--- expected\n{wanted}\n--- found\n{found}"
    return True


def at(hours: float, *commands: Callable[[Mail], None]) -> Process:
    """Return a process of the world that gives commands at an instant."""

    def process(clock: Clock, mail: Mail) -> Iterator[Any]:
        yield clock.timeout(hours)
        for command in commands:
            command(mail)

    return process  # type: ignore[return-value]


def one(kind: CommandKind, a: int = 0, b: int = 0, **about: int) -> Callable[[Mail], None]:
    """Return what gives one command."""
    return lambda mail: mail.command(kind, a, b, **about)


def named(plan: Plan, rows: Rows) -> list[tuple[Any, ...]]:
    """Return rows with the ids of steps and services instead of numbers, which shift between plans."""
    numbered = ("step", "service", "peer", "intended")
    plain = [name for name in JOURNAL_SCHEMA.names or () if name not in numbered]
    steps = [s["id"] for s in plan.header["steps"]] + ["-"]
    services = [s["id"] for s in plan.header["services"]] + ["-"]
    return [
        (
            *(row[name].item() for name in plain),
            steps[row["step"]], *(services[row[name]] for name in numbered[1:]),
        )
        for row in rows
    ]  # fmt: skip


def family_hashes(plan: Plan, pathway: str) -> list[int]:
    """Return the hashes of a pathway's families: the upper half of its cases' numbers."""
    number = [p["id"] for p in plan.header["pathways"]].index(pathway)
    return [int(f["hash"]) for f in plan.arrays.family if f["pathway"] == number]


def of_pathway(plan: Plan, rows: Rows, pathway: str) -> Rows:
    """Return the rows of one pathway's cases."""
    return rows[np.isin(rows["case"] >> 32, family_hashes(plan, pathway))]
