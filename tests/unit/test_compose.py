"""Design points from files: paths, grids, twins, keys, and every fault at the line that mends it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flowsim.config.catalogue_file import FaultsFile
from flowsim.config.compose import Study, load_study
from flowsim.config.experiment_file import Design
from flowsim.config.grid import parse_half_width, short_names
from flowsim.config.twins import design_key, ideal_twin, same_adoption_twin
from flowsim.errors import FaultsInFile

ROOT = Path(__file__).parents[2]

#: Writes an experiment beside the minimal topology.
Write = Callable[..., Path]

EXPERIMENT = """\
name: Small
topology: minimal.yaml
pathways: [gp_referral]
start: 2024-01-01
warm_up: 2 weeks
observe: 4 weeks
follow_up: 4 weeks
seed: 1
adoption:
  gp_practices: 0 %
  joining: {stale_share: 5 %, stale_lag: 4 weeks, old_inbox_read: 50 %}
"""
VARY = """\
vary:
  adoption.gp_practices: [0 %, 2 practices, 100 %]
  rates: [equal, platform_better]
compare: {to: {adoption.gp_practices: 2 practices, rates: same}}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes an experiment beside the minimal topology."""
    shutil.copy(ROOT / "topologies" / "minimal.yaml", tmp_path)

    def write(more: str = VARY, head: str = EXPERIMENT, name: str = "small.yaml") -> Path:
        path = tmp_path / name
        path.write_text(head + more, encoding="utf-8")
        return path

    return write


def faults_of(path: Path) -> list[str]:
    with pytest.raises(FaultsInFile) as error:
        load_study(path)
    return [f"{Path(f.file).name}:{f.line} {f.message} {f.hint}".strip() for f in error.value.faults]


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)


# --- points ---------------------------------------------------------------------------------------------


def test_vary_makes_the_full_grid_with_the_last_setting_changing_fastest(write: Write) -> None:
    study = load_study(write())
    assert [p.name for p in study.designs()] == [
        f"gp_practices={level}, rates={rates}"
        for level in ("0 %", "2 practices", "100 %")
        for rates in ("equal", "platform_better")
    ]
    assert study.scenario_rows()[3] == {
        "scenario": "gp_practices=2 practices, rates=platform_better",
        "adoption.gp_practices": "2 practices",
        "rates": "platform_better",
    }
    designs = [p.design for p in study.designs()]
    assert [d.adoption.gp_practices for d in designs[::2]] == ["0 %", "2 practices", "100 %"]
    assert [d.rates for d in designs[:2]] == ["equal", "platform_better"]


def test_an_experiment_that_varies_nothing_has_one_design_point(write: Write) -> None:
    study = load_study(write(""))
    assert [(p.name, dict(p.settings)) for p in study.designs()] == [("as given", {})]


def test_a_path_reaches_any_part_of_any_file(write: Write) -> None:
    more = """\
change:
  pathways.gp_referral.scale: 0.5
vary:
  topology.organisations.hospital.services.intake.staff: [1, 7]
  faults.faults.late.rate: [0 %, 3 %]
  channels.channels.letter.latency: [2 days, {kind: exponential, mean: 3 days}]
"""
    study = load_study(write(more))
    assert len(study.points) == 8
    last = study.points[-1].design
    service = next(s for s in last.topology.organisations[0].services if s.id == "intake")
    assert service.staff == 7
    assert last.faults.faults["late"].rate.value == 0.03
    assert last.channels.channels["letter"].latency.kind == "exponential"
    assert {p.design.pathways["gp_referral"].scale for p in study.points} == {0.5}


def test_lists_of_numbers_name_a_scenario_and_lists_of_names_are_counted(write: Write) -> None:
    more = """\
vary:
  defects.noticing.reports: [[1, 1], [3, 30]]
  use_levers: [[], [more_testing]]
"""
    names = [point.name for point in load_study(write(more)).points]
    assert names[0] == "reports=[1,1], use_levers=[]"
    assert names[3] == "reports=[3,30], use_levers=1 named"


def test_named_scenarios_come_after_the_grid_and_keep_what_they_do_not_set(write: Write) -> None:
    more = """\
vary: {rates: [equal, platform_better]}
scenarios:
  all join: {adoption.gp_practices: 100 %}
"""
    study = load_study(write(more))
    assert [p.name for p in study.points] == ["rates=equal", "rates=platform_better", "all join"]
    assert dict(study.points[2].settings) == {"rates": "equal", "adoption.gp_practices": "100 %"}
    assert study.points[0].settings["adoption.gp_practices"] == "0 %"


def test_a_baseline_may_be_named_as_a_scenario(write: Write) -> None:
    more = """\
scenarios:
  nobody: {adoption.gp_practices: 0 %, rates: equal}
  all: {adoption.gp_practices: 100 %, rates: platform_better}
compare: {to: {scenario: nobody}}
"""
    assert load_study(write(more)).baseline_rule() == {"adoption.gp_practices": "0 %", "rates": "equal"}


def test_base_and_overrides_give_one_experiment(write: Write) -> None:
    write()
    study = load_study(
        write("", head="base: small.yaml\nseed: 7\nvary: {rates: [equal]}\n", name="other.yaml")
    )
    assert study.base.seed == 7
    assert study.experiment.name == "Small"
    assert study.settings == ("adoption.gp_practices", "rates")


def test_parts_that_no_point_touches_are_one_and_the_same_object(write: Write) -> None:
    study = load_study(write())
    assert all(p.design.topology is study.base.topology for p in study.points)


def test_resolved_has_every_default_and_the_scenarios(write: Write) -> None:
    resolved = load_study(write()).resolved()
    assert resolved["view"] == "settled"
    assert resolved["adoption"]["joining"]["search_factor"] == 1.0
    assert resolved["replications"]["at_least"] == 10
    assert resolved["topology"]["name"] == "Minimal"
    assert resolved["pathways"]["gp_referral"]["scale"] == 1.0
    assert len(resolved["scenarios"]) == 6


def test_short_names_take_as_many_words_as_tell_paths_apart() -> None:
    assert list(short_names(["a.b.rate", "c.rate", "seed"]).values()) == ["b.rate", "c.rate", "seed"]


@pytest.mark.parametrize(
    ("text", "width"), [("0.1 points", 0.001), ("2 days", 2.0), (0.5, 0.5), ("3 %", 0.03)]
)
def test_a_half_width_is_in_the_unit_of_its_measure(text: str | float, width: float) -> None:
    assert parse_half_width(text) == pytest.approx(width)


@pytest.mark.parametrize("text", ["", "points", "-1 days", 0, "nan", "1 2"])
def test_a_half_width_that_is_no_positive_number_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match="positive number"):
        parse_half_width(text)


# --- twins and keys ------------------------------------------------------------------------------------


def keys(study: Study, twin: Callable[[Design], Design] = lambda design: design) -> list[str]:
    return [design_key(twin(p.design)) for p in study.points]


def test_the_ideal_twin_is_one_for_all_levels_rates_channels_and_faults(write: Write) -> None:
    more = VARY + "outages: [{relay: broker, at: 2024-02-01 08:00, lasts: 4 h}]\n"
    more = more.replace("compare:", "  faults.faults.late.rate: [0 %, 5 %]\ncompare:")
    study = load_study(write(more))
    assert len(set(keys(study))) == 12
    assert len(set(keys(study, ideal_twin))) == 1
    twin = ideal_twin(study.base)
    assert twin.ideal
    assert twin.faults_off
    assert twin.outages == ()


def test_the_same_adoption_twin_is_one_for_each_level(write: Write) -> None:
    study = load_study(write())
    assert len(set(keys(study, same_adoption_twin))) == 3
    twin = same_adoption_twin(study.points[-1].design)
    assert (twin.faults_off, twin.ideal, twin.adoption.gp_practices) == (True, False, "100 %")


def test_capacity_changes_the_ideal_twin_too(write: Write) -> None:
    study = load_study(write("vary: {topology.organisations.hospital.services.intake.staff: [1, 7]}\n"))
    assert len(set(keys(study, ideal_twin))) == 2


def test_labels_names_and_sources_are_no_part_of_a_key(write: Write, tmp_path: Path) -> None:
    before = keys(load_study(write()))
    topology = tmp_path / "minimal.yaml"
    text = topology.read_text().replace("name: Minimal", "name: Other").replace("label: Post", "label: Mail")
    topology.write_text(text)
    assert keys(load_study(write(head=EXPERIMENT.replace("Small", "Big")))) == before


@pytest.mark.parametrize(
    ("old", "new"), [("seed: 1", "seed: 2"), ("warm_up: 2 weeks", "warm_up: 3 weeks"), ("5 %", "6 %")]
)
def test_what_the_simulation_reads_changes_the_key(write: Write, old: str, new: str) -> None:
    assert keys(load_study(write()))[0] != keys(load_study(write(head=EXPERIMENT.replace(old, new))))[0]


def test_the_same_length_of_time_in_other_words_is_the_same_key(write: Write) -> None:
    other = EXPERIMENT.replace("4 weeks, old", "28 days, old")
    assert keys(load_study(write())) == keys(load_study(write(head=other)))


def test_a_named_milestone_is_no_label(write: Write) -> None:
    study = load_study(write(""))
    pathway = study.base.pathways["gp_referral"]
    index = next(i for i, s in enumerate(pathway.steps) if s.do == "milestone")
    steps = list(pathway.steps)
    steps[index] = steps[index].model_copy(update={"name": "custom_2"})
    changed = pathway.model_copy(update={"steps": tuple(steps)})
    other = study.base.model_copy(update={"pathways": {"gp_referral": changed}})
    assert design_key(other) != design_key(study.base)


# --- faults ----------------------------------------------------------------------------------------------


def test_faults_of_all_files_are_told_at_once_each_with_its_own_file_and_line(
    write: Write, tmp_path: Path
) -> None:
    topology = tmp_path / "minimal.yaml"
    topology.write_text(topology.read_text().replace("inhabitants: 10000", "inhabitans: 10000"))
    (tmp_path / "own.yaml").write_text("id: own\nlable: x\n")
    head = EXPERIMENT.replace("seed: 1", "sed: 1").replace("[gp_referral]", "[gp_referral, own.yaml]")
    path = write("vary: {rates: [equl]}\n", head=head)
    told = "\n".join(faults_of(path))
    assert f"small.yaml:{line_of(path, 'sed:')} 'sed' is not known here. Did you mean 'seed'?" in told
    assert f"minimal.yaml:{line_of(topology, 'inhabitans')} 'inhabitans' is not known here." in told
    assert "own.yaml:2 'lable' is not known here. Did you mean 'label'?" in told


@pytest.mark.parametrize(
    ("more", "text", "message"),
    [
        ("vary:\n  adoption.gp_practises: [0 %]\n", "practises", "Did you mean 'gp_practices'?"),
        ("vary:\n  adotion.gp_practices: [0 %]\n", "adotion", "Did you mean 'adoption'?"),
        ("vary:\n  pathways.gp_referal.scale: [1]\n", "gp_referal", "Did you mean 'gp_referral'?"),
        ("vary:\n  faults.faults.lat.rate: [0 %]\n", "faults.lat", "'late'"),
        ("vary:\n  topology.organisations.hospitl.label: [x]\n", "hospitl", "Did you mean 'hospital'?"),
        ("vary:\n  rates: [equal, platfrom_better]\n", "platfrom", "Did you mean 'platform_better'?"),
        ("change:\n  seed.x: 3\n", "seed.x", "there is nothing inside 'seed'"),
        ("change:\n  replications: 3\n", "replications: 3", "'replications' is not known here."),
        ("scenarios:\n  one:\n    faults.everywhere: 5\n", "everywhere", "must lie between 0 and 1"),
        ("vary:\n  rates: []\n", "rates: []", "vary.rates has no values."),
        ("vary:\n  rates: [equal, equal]\n", "rates: [", 'has the value "equal" twice'),
        ("vary:\n  rates: equal\n", "rates: equal", "list"),
    ],
)  # fmt: skip
def test_a_wrong_path_or_value_is_told_at_its_own_line(
    write: Write, more: str, text: str, message: str
) -> None:
    path = write(more)
    line = line_of(path, text)
    told = [fault for fault in faults_of(path) if fault.startswith(f"small.yaml:{line} ")]
    assert any(message in fault for fault in told), faults_of(path)


def test_each_value_on_a_line_of_its_own_has_its_own_fault(write: Write) -> None:
    path = write("vary:\n  adoption.gp_practices:\n    - 0 %\n    - 120 %\n    - many\n")
    first = line_of(path, "120 %")
    assert [f.split()[0] for f in faults_of(path)] == [f"small.yaml:{first}", f"small.yaml:{first + 1}"]


def test_a_wrong_value_gives_one_fault_however_many_scenarios_have_it(write: Write) -> None:
    path = write("vary:\n  seed: [1, 2, 3]\n  adoption.gp_practices: [0 %, 120 %]\n")
    assert len(faults_of(path)) == 1


@pytest.mark.parametrize(
    ("compare", "message"),
    [
        ("{to: {adoption.gp_practises: 0 %}}", "Did you mean 'adoption.gp_practices'?"),
        (
            "{to: {adoption.gp_practices: 3 practices}}",
            "no scenario has '3 practices'. Did you mean '2 practices'?",
        ),
        ("{to: {scenario: gp_practices=0 %}}", "no scenario is called"),
    ],
)
def test_a_baseline_that_no_scenario_is_is_refused(write: Write, compare: str, message: str) -> None:
    more = VARY.splitlines()
    path = write("\n".join([*more[:-1], f"compare: {compare}"]) + "\n")
    (told,) = faults_of(path)
    assert message in told
    assert f":{line_of(path, 'compare')} " in told


@pytest.mark.parametrize(
    ("until", "message"),
    [
        (
            "{difference_in: referals_lost_share, half_width: 0.1 points}",
            "Did you mean 'referrals_lost_share'?",
        ),
        ("{difference_in: referrals_lost_share, half_width: few}", "must be a positive number"),
    ],
)
def test_a_stopping_rule_is_checked_before_anything_runs(write: Write, until: str, message: str) -> None:
    path = write(VARY + f"replications:\n  until: {until}\n")
    assert any(message in told for told in faults_of(path))


def test_a_stopping_rule_without_a_comparison_is_refused(write: Write) -> None:
    until = "replications: {until: {difference_in: referrals_lost_share, half_width: 1}}\n"
    assert any("needs differences to judge" in told for told in faults_of(write(until)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("minimal.yaml", "minimul.yaml", "minimal.yaml'?"),
        ("[gp_referral]", "[gp_referal]", "Did you mean 'gp_referral'?"),
        ("[gp_referral]", "[gp_referral, gp_referral]", "named twice"),
        ("topology: minimal.yaml", "topology: .", "is a folder"),
    ],
)
def test_a_file_that_is_not_there_is_told_where_it_is_named(
    write: Write, old: str, new: str, message: str
) -> None:
    path = write(head=EXPERIMENT.replace(old, new))
    line = line_of(path, new)
    assert any(f"small.yaml:{line} " in told and message in told for told in faults_of(path)), faults_of(path)


def test_a_grid_without_end_is_refused(write: Write) -> None:
    values = list(range(60))
    more = f"vary:\n  seed: {values}\n  adoption.joining.search_factor: {values}\n"
    assert any("makes 3600 scenarios" in told for told in faults_of(write(more)))


def test_the_canonical_faults_of_twins_never_strike() -> None:
    from flowsim.config.twins import NO_FAULTS

    assert isinstance(NO_FAULTS, FaultsFile)
    assert NO_FAULTS.faults == {}
