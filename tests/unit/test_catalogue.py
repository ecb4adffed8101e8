"""The catalogue, the experiment files and the glossary say what they must."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import get_args

import networkx as nx
import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from flowsim import vocabulary
from flowsim.catalogue import catalogue_path, names
from flowsim.config.compose import load_study
from flowsim.config.kinds import KINDS
from flowsim.config.loading import load, load_yaml, validate
from flowsim.config.pathway_file import Branch, Cancel, Place, Repeat, Send, Work, step_targets
from flowsim.config.schema import (
    ChannelsFile,
    DefectsFile,
    ExperimentFile,
    FaultsFile,
    LeversFile,
    PathwayFile,
)
from flowsim.config.topology_file import OrganisationKind
from flowsim.config.values import Basis, Estimate, shares_sum_to_one
from flowsim.errors import UsageError
from flowsim.measures import MEASURES

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
PATHWAYS = names("pathways")
#: Ways back that have no entry under found_by: they are set in misdelivery, audit and reconciliation.
SET_ELSEWHERE = {"misdelivery_notice", "forwarded", "audit", "reconciliation"}


def estimates(model: BaseModel, basis: Basis, where: str) -> Iterator[tuple[str, Estimate, Basis]]:
    """Yield every estimate in a file with the basis that holds for it."""
    basis = getattr(model, "basis", None) or basis
    for name in type(model).model_fields:
        yield from _estimates_in(getattr(model, name), basis, f"{where}.{name}")


def _estimates_in(value: object, basis: Basis, where: str) -> Iterator[tuple[str, Estimate, Basis]]:
    if isinstance(value, Estimate):
        yield where, value, basis
    elif isinstance(value, BaseModel):
        yield from estimates(value, basis, where)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _estimates_in(item, basis, f"{where}.{key}")


def written_estimates() -> list[tuple[str, Estimate, Basis]]:
    files = [
        load(catalogue_path(kind, name), KINDS[kind])
        for kind in ("channels", "faults", "defects", "people", "levers")
        for name in names(kind)
    ]
    found = [each for file in files for each in estimates(file, file.basis, type(file).__name__)]  # type: ignore[attr-defined]
    # A default that no file mentions (no loss at all on a channel) is not a number somebody stated.
    return [(where, e, basis) for where, e, basis in found if e != Estimate(value=0.0)]


def pathway(name: str) -> PathwayFile:
    return load(catalogue_path("pathways", name), PathwayFile)


def plain(path: Path) -> dict[str, object]:
    data = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    assert isinstance(data, dict)
    return data


def test_every_number_with_an_estimate_says_its_source_and_how_sure_it_is() -> None:
    found = written_estimates()
    assert len(found) > 15
    for where, estimate, basis in found:
        assert estimate.source or basis.source, where
        assert estimate.certainty or basis.certainty, where


def test_every_assumed_number_has_a_range_over_which_it_is_varied() -> None:
    for where, estimate, basis in written_estimates():
        if (estimate.certainty or basis.certainty) == "assumed":
            assert estimate.range is not None, where
            assert estimate.range[0] < estimate.range[1], where


def test_no_fault_rate_claims_to_be_measured() -> None:
    faults = load(catalogue_path("faults", "faults"), FaultsFile)
    for name, fault in faults.faults.items():
        assert fault.rate.certainty == ("derived" if name == "no_endpoint" else "assumed"), name


def test_the_starting_ranges_of_the_facts_are_kept() -> None:
    faults = load(catalogue_path("faults", "faults"), FaultsFile)
    stated = {
        "not_emitted": (0.0005, 0.003),
        "undelivered": (0.0001, 0.005),
        "rejected": (0.002, 0.02),
        "unwatched": (0.001, 0.03),
    }
    assert {name: faults.faults[name].rate.range for name in stated} == stated  # type: ignore[index]
    assert faults.found_by["receiver_misses"].chance.range == (0.005, 0.1)


def test_every_fault_class_is_set_and_equal_changes_nothing() -> None:
    faults = load(catalogue_path("faults", "faults"), FaultsFile)
    assert set(faults.faults) == set(vocabulary.Fault.__members__) - {"none"}
    assert faults.rate_sets["equal"] == {}
    assert faults.everywhere == 1.0


def test_each_class_that_strikes_edi_strikes_the_platform_unless_it_has_no_rate() -> None:
    faults = load(catalogue_path("faults", "faults"), FaultsFile)
    for name, fault in faults.faults.items():
        assert ("edi" in fault.channels) == ("platform" in fault.channels) or not fault.rate.value, name


def test_rate_sets_move_every_class_the_way_their_name_says() -> None:
    faults = load(catalogue_path("faults", "faults"), FaultsFile)
    strikes = {name for name, fault in faults.faults.items() if "platform" in fault.channels}
    better, worse = faults.rate_sets["platform_better"], faults.rate_sets["platform_worse"]
    assert set(better) == set(worse) == {"platform"}
    assert set(better["platform"]) == set(worse["platform"]) == strikes
    assert all(factor < 1 for factor in better["platform"].values())
    assert all(factor > 1 for factor in worse["platform"].values())
    for name, factor in worse["platform"].items():
        highest = faults.faults[name].rate.range
        assert highest is not None, name
        assert factor * highest[1] <= 1, name


def test_each_way_back_that_a_fault_names_is_set_somewhere() -> None:
    faults = load(catalogue_path("faults", "faults"), FaultsFile)
    assert faults.audit is not None and faults.audit.chance.value == 0
    assert faults.reconciliation is not None and faults.reconciliation.chance.value == 0
    assert faults.found_by["phone_confirmation"].chance.value == 0
    named = {way for fault in faults.faults.values() for way in fault.found_by}
    assert named == set(faults.found_by) | SET_ELSEWHERE
    assert not set(faults.found_by) & SET_ELSEWHERE


def test_receipts_exist_on_edi_only_and_no_channel_makes_people_search_more() -> None:
    channels = load(catalogue_path("channels", "channels"), ChannelsFile).channels
    assert {name: c.receipts for name, c in channels.items() if c.receipts != "none"} == {"edi": "both"}
    assert {c.search_factor for c in channels.values()} == {1.0}
    assert [name for name, c in channels.items() if c.resend] == ["edi"]


def test_addresses_that_age_are_a_file_of_their_own_and_change_nothing_else() -> None:
    plain, aging = (load(catalogue_path("faults", name), FaultsFile) for name in ("faults", "faults_aging"))
    assert plain.addresses is None and aging.addresses is not None
    assert aging.model_copy(update={"addresses": None}) == plain


def test_defects_can_be_noticed_by_somebody_and_the_catalogue_has_every_measure_asked_for() -> None:
    """A class that nobody can find, and that no reader sees, would never end."""
    faults = load(catalogue_path("faults", "faults"), FaultsFile)
    defects = load(catalogue_path("defects", "defects"), DefectsFile)
    assert {kind.at for kind in defects.latent} == {"hospital", "municipality", "gp", "specialist"}
    for kind in defects.latent:
        assert kind.fault == "incomplete" or faults.faults[kind.fault].found_by, kind.id
    owners = [level.owner for level in defects.escalation.levels]
    assert owners == ["municipality", "trust", "platform_company", "supplier", "region"]
    assert defects.noticing.reports == (3, 30)
    levers = load(catalogue_path("levers", "levers"), LeversFile).levers
    assert set(levers) == {
        "more_testing", "better_training", "simpler_to_use", "address_clean_up", "owner_for_every_list",
        "reconciliation", "phone_confirmation", "faster_escalation", "more_intake_staff", "paper_fallback",
        "wait_for_others",
    }  # fmt: skip
    for name, lever in levers.items():
        assert lever.effect.range is not None and lever.effect.range[0] == 0, name
        assert lever.costs, name


@pytest.mark.parametrize("name", PATHWAYS)
def test_a_pathway_is_named_as_its_file_and_its_shares_add_up(name: str) -> None:
    found = pathway(name)
    assert found.id == name
    shares_sum_to_one(list(found.starts.urgency.values()), "urgency")
    for step in found.steps:
        if isinstance(step, Branch):
            general = [c.share for c in step.choices if not c.urgency]
            shares_sum_to_one(general, step.id)


@pytest.mark.parametrize("name", PATHWAYS)
def test_every_message_has_a_deadline_for_each_kind_of_recipient(name: str) -> None:
    for step in pathway(name).steps:
        if isinstance(step, Send):
            assert step.deadline is not None, step.id
            assert (step.copy_deadline is not None) == bool(step.copies), step.id


@pytest.mark.parametrize("name", PATHWAYS)
def test_every_message_is_read_by_somebody(name: str) -> None:
    """The step after a message that a case waits for is work there; all else has a reading time."""
    steps = pathway(name).steps
    by_id = {step.id: step for step in steps}
    for number, step in enumerate(steps):
        if not isinstance(step, Send):
            continue
        if step.copies or not step.waits:
            assert step.reading is not None, step.id
        if step.waits:
            reader = by_id[step.next] if step.next else steps[number + 1]
            while not isinstance(reader, Work):  # what takes no time may stand between
                assert reader.do in ("fork", "milestone"), step.id
                reader = steps[steps.index(reader) + 1]
            assert reader.service == step.to, step.id


@pytest.mark.parametrize("name", PATHWAYS)
def test_every_step_can_be_reached(name: str) -> None:
    steps = pathway(name).steps
    position = {step.id: number for number, step in enumerate(steps)}
    seen: set[str] = set()
    ahead = [steps[0].id]
    while ahead:
        step = steps[position[ahead.pop()]]
        if step.id in seen:
            continue
        seen.add(step.id)
        ahead += step_targets(step)
        falls_through = not step.next and step.do not in ("end", "branch", "compare", "shared")
        if falls_through:
            assert position[step.id] + 1 < len(steps), f"{step.id} falls off the end"
            ahead.append(steps[position[step.id] + 1].id)
    assert seen == set(position)


@pytest.mark.parametrize("name", PATHWAYS)
def test_only_repeat_goes_back(name: str) -> None:
    """A loop by any other step would draw the same luck in each round, and never end."""
    steps = pathway(name).steps
    ways: nx.DiGraph[str] = nx.DiGraph()
    for number, step in enumerate(steps):
        if isinstance(step, Repeat | Cancel):
            targets = [step.next] if step.next else []
        else:
            targets = step_targets(step)
        if not step.next and step.do not in ("end", "branch", "compare", "shared"):
            targets = [*targets, steps[number + 1].id]
        ways.add_edges_from((step.id, target) for target in targets)
    assert nx.is_directed_acyclic_graph(ways)


@pytest.mark.parametrize("name", PATHWAYS)
def test_a_pathway_has_targets_exactly_if_care_starts_in_it(name: str) -> None:
    found = pathway(name)
    reached = {getattr(step, "name", None) for step in found.steps}
    assert bool(found.targets) == ("care_started" in reached)
    assert not (found.background and found.targets)


@pytest.mark.parametrize("name", PATHWAYS)
def test_services_are_named_by_kind(name: str) -> None:
    """By that of the service, or of its organisation where a service of kind other is meant."""
    kinds = {kind.value for kind in vocabulary.ServiceKind} | {"origin"}
    found = pathway(name)
    refs = {found.starts.at}
    for step in found.steps:
        refs |= {step.sender, step.to, *step.copies} if isinstance(step, Send) else set()
        refs |= {step.service} if isinstance(step, Work | Place) else set()
    by_organisation = {ref for ref in refs if "/" in ref}
    assert refs - by_organisation <= kinds
    assert {ref.split("/")[0] for ref in by_organisation} <= set(get_args(OrganisationKind))


def test_referrals_to_hospital_follow_from_consultations() -> None:
    assert pathway("gp_referral").starts.arrivals.per_year == pytest.approx(3.0 * 0.137 * 0.6)


def test_stays_add_up_to_the_hospitals_admissions() -> None:
    rates = [pathway(n).starts.arrivals.per_year for n in ("admission", "discharge_to_municipality")]
    assert sum(r or 0 for r in rates) == pytest.approx(62_100 / 330_000, rel=0.01)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_an_experiment_file_is_valid_and_names_only_what_exists(path: Path) -> None:
    experiment = validate(load_yaml(path), ExperimentFile)
    assert set(experiment.pathways) <= set(PATHWAYS)
    assert experiment.channels in names("channels")
    assert experiment.faults in names("faults")


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_every_delayed_start_lies_inside_the_follow_up(path: Path) -> None:
    experiment = validate(load_yaml(path), ExperimentFile)
    if path.stem == "detectability":
        return  # follows messages, not starts of care
    for name in experiment.pathways:
        for target in pathway(name).targets.values():
            assert target.care_within <= target.delayed_after < experiment.follow_up, name


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_every_scenario_of_an_experiment_is_a_whole_design_with_a_baseline(path: Path) -> None:
    study = load_study(path)
    if path.stem == "detectability":
        return  # asks what logs show of one world
    rule = study.baseline_rule()
    assert rule
    for point in study.points:
        wanted = {key: point.settings[key] if value == "same" else value for key, value in rule.items()}
        assert sum(other.settings == wanted for other in study.points) == 1, point.name


def test_staying_apart_follows_up_more_and_the_other_worlds_change_adoption_only() -> None:
    points = {p.name: p.design for p in load_study(ROOT / "experiments/before_and_after.yaml").points}
    apart = points.pop("stay apart, mend the messages")
    before = points["before"]
    assert apart.adoption == before.adoption
    assert (
        apart.channels.channels["edi"].receipt_watch.value
        > before.channels.channels["edi"].receipt_watch.value
    )
    assert apart.faults.audit is not None
    assert apart.faults.audit.chance.value > 0
    assert len(points) == 4
    assert len({str(design.adoption) for design in points.values()}) == 4
    assert all((d.channels, d.faults) == (before.channels, before.faults) for d in points.values())


def test_the_full_size_experiment_runs_every_pathway_one_to_one() -> None:
    full = validate(load_yaml(ROOT / "experiments/adoption_levels_full.yaml"), ExperimentFile)
    assert {value for path, value in full.change.items() if path.startswith("pathways.")} == {1.0}
    small = plain(ROOT / "experiments/adoption_levels.yaml")
    assert full.vary == small["vary"]


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="gp_referral"):
        catalogue_path("pathways", "gp_referal")
    with pytest.raises(UsageError, match="pathways"):
        names("pathway")  # type: ignore[arg-type]


# --- glossary -------------------------------------------------------------------------------------


def glossary() -> dict[str, dict[str, list[str]]]:
    """Return section -> code -> other cells of its row."""
    sections: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in (ROOT / "docs/glossary.md").read_text("utf-8").splitlines():
        heading = re.fullmatch(r"## .*`(\w+)`.*", line)
        if heading:
            section = heading[1]
            sections[section] = {}
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if section and len(cells) > 2 and re.fullmatch(r"`\w+`", cells[0]):
            assert cells[0].strip("`") not in sections[section], f"{section} has {cells[0]} twice"
            sections[section][cells[0].strip("`")] = cells[1:]
    return sections


ENUMS = [
    value
    for value in vars(vocabulary).values()
    if isinstance(value, type)
    and issubclass(value, Enum)
    and value.__module__.startswith(vocabulary.__name__)
]


@pytest.mark.parametrize("enum", ENUMS, ids=lambda e: e.__name__)
def test_the_glossary_has_each_word_of_the_vocabulary_in_both_languages(enum: type[Enum]) -> None:
    rows = glossary().get(enum.__name__, {})
    assert set(rows) == set(enum.__members__)
    for code, cells in rows.items():
        assert all(cells[:2]), f"{code} lacks a language"


def test_the_glossary_explains_no_word_that_the_vocabulary_does_not_have() -> None:
    assert set(glossary()) == {enum.__name__ for enum in ENUMS}


def test_the_model_description_has_every_statement_of_the_audits() -> None:
    text = (ROOT / "docs/model.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \|(.*)\|$", text, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 39))
    for number, rest in rows:
        cells = [cell.strip() for cell in rest.split("|")]
        assert len(cells) == 5, number
        assert all(cells), number


def test_the_model_description_names_only_measures_that_exist() -> None:
    from flowsim.measures import MEASURES

    text = (ROOT / "docs/model.md").read_text("utf-8")
    rows = re.findall(r"^\| \d+ \|(.*)\|$", text, re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row.split("|")[3])}
    assert len(named) > 8
    assert named <= set(MEASURES)


def test_the_model_description_gives_the_same_rates_as_the_catalogue() -> None:
    text = (ROOT / "docs/model.md").read_text("utf-8").split("\n## 6.")[1]
    faults = load(catalogue_path("faults", "faults"), FaultsFile)
    for name, fault in faults.faults.items():
        if not fault.rate.value:
            continue
        row = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        low, high = fault.rate.range or (0.0, 0.0)
        assert cells[3] == f"{100 * fault.rate.value:g} %", name
        assert cells[4] == f"{100 * low:g}–{100 * high:g} %", name
        assert cells[5] == vocabulary.CAUSE_OF_FAULT[vocabulary.Fault[name]].value, name


def test_the_table_of_the_audits_names_only_experiments_and_measures_that_exist() -> None:
    text = (ROOT / "docs/model.md").read_text("utf-8")
    experiments = {path.stem for path in (ROOT / "experiments").glob("*.yaml")}
    named: set[str] = set()
    for number, rest in re.findall(r"^\| (\d+) \|(.*)\|$", text, re.MULTILINE):
        *_, measures, asked = [cell.strip() for cell in rest.split("|")]
        assert "planned" not in rest, f"row {number} promises something"
        for word in re.findall(r"`([a-z0-9_]+)`", measures):
            assert word in MEASURES, f"row {number}: {word} is no measure"
        named |= {word for word in re.findall(r"[a-z_]{5,}", asked) if "_" in word or word in experiments}
    assert named - {"not_modelled"} <= experiments, named - experiments
    assert experiments - named <= {"adoption_levels_full", "detectability"}, (
        f"no row asks for {experiments - named}"
    )
