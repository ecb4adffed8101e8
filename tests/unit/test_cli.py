"""The command line: exit codes, what goes where, no traceback for a mistake, and nothing heavy too early."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import studies

from flowsim import __version__, cli
from flowsim.config.docs import configuration_page, json_schema
from flowsim.config.kinds import KINDS
from flowsim.runner.progress import ConsoleProgress

ROOT = Path(__file__).parents[2]
HEAVY = {"numba", "simpy", "pandas", "scipy", "matplotlib", "pyarrow"}


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


Flowsim = Callable[..., Ran]


@pytest.fixture
def flowsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Flowsim:
    """Return a function that runs a command in an empty folder, with no simulation and no charts."""
    monkeypatch.setattr("flowsim.experiment.working.carry_out", studies.pretend)
    monkeypatch.setattr("flowsim.experiment.working.prepare", lambda _: None)
    monkeypatch.setattr(
        "flowsim.runner.output.draw_charts", lambda *_: ([Path("charts/a.svg")], ["b: no numbers"])
    )
    monkeypatch.chdir(tmp_path)

    def flowsim(*words: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["flowsim", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        told = capsys.readouterr()
        return Ran(int(end.value.code or 0), told.out, told.err)

    return flowsim


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return studies.write_study(tmp_path)


def loaded(*words: str) -> set[str]:
    """Return the top-level modules that a command has loaded when it ends, in a process of its own."""
    program = (
        "import sys\nfrom flowsim import cli\n"
        f"sys.argv = {['flowsim', *words]!r}\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('LOADED', *sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.split(".")[0] for name in ran.stdout.rpartition("LOADED")[2].split()}


# --- at once --------------------------------------------------------------------------------------


def test_validating_loads_nothing_heavy() -> None:
    found = loaded("validate", "experiments/adoption_levels.yaml", "topologies/trondheim.yaml")
    assert "pydantic" in found
    assert found & HEAVY == set()


def test_help_loads_not_even_the_models() -> None:
    assert loaded("--help") & (HEAVY | {"pydantic", "ruamel", "networkx"}) == set()


def test_the_version_is_told(flowsim: Flowsim) -> None:
    assert flowsim("--version").out == f"flowsim {__version__}\n"


# --- validate -------------------------------------------------------------------------------------


def test_every_kind_of_file_is_known_by_what_it_says(flowsim: Flowsim, small: Path) -> None:
    catalogue = ROOT / "flowsim" / "catalogue"
    files = [small, small.parent / "minimal.yaml", catalogue / "pathways" / "gp_referral.yaml"]
    files += [catalogue / "channels.yaml", catalogue / "faults.yaml"]
    ran = flowsim("validate", *map(str, files))
    assert ran.code == 0
    words = ["experiment: 4 scenarios", "topology: Minimal", "pathway: Referral", "channels.", "faults."]
    for line, word in zip(ran.out.splitlines(), words, strict=True):
        assert word in line


@pytest.mark.parametrize(
    ("file", "old", "new", "hint"),
    [
        ("small.yaml", "adoption:", "adotion:", "Did you mean 'adoption'?"),
        ("minimal.yaml", "practice_template:", "practice_templat:", "Did you mean 'practice_template'?"),
        ("pathways/gp_referral.yaml", "label:", "labl:", "Did you mean 'label'?"),
        ("channels.yaml", "latency:", "latncy:", "Did you mean 'latency'?"),
        ("faults.yaml", "misdelivery:", "misdelivry:", "Did you mean 'misdelivery'?"),
    ],
)
def test_a_typo_in_each_kind_of_file_is_told_with_line_and_suggestion(
    flowsim: Flowsim, small: Path, file: str, old: str, new: str, hint: str
) -> None:
    path = small.parent / Path(file).name
    source = path if path.exists() else ROOT / "flowsim" / "catalogue" / file
    text = source.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    line = text[: text.index(old)].count("\n") + 1
    ran = flowsim("validate", str(path))
    assert ran.code == 3
    assert ran.out == ""
    assert any(told.startswith(f"{path}:{line}  ") and hint in told for told in ran.err.splitlines()), ran.err
    assert ran.err.splitlines()[-1].endswith("Nothing was run.")


def test_faults_of_all_files_of_a_command_are_told(flowsim: Flowsim, tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "other.yaml").write_text("colour: blue\n")
    (tmp_path / "broken.yaml").write_text("a: [1\nb: 2\n")
    (tmp_path / "folder").mkdir()
    ran = flowsim("validate", "empty.yaml", "other.yaml", "broken.yaml", "folder", "missing.yaml")
    assert ran.code == 3
    for word in (
        "is empty",
        "no file of flowsim",
        "broken.yaml:",
        "is a folder",
        "does not exist",
        "5 faults.",
    ):
        assert word in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("words", [["run"], ["validate"], ["fly"], ["run", "x.yaml", "--workers", "none"]])
def test_a_mistake_on_the_command_line_ends_with_2(flowsim: Flowsim, words: list[str]) -> None:
    ran = flowsim(*words)
    assert ran.code == 2
    assert ran.err


# --- run and show ---------------------------------------------------------------------------------


def test_a_run_writes_to_a_folder_named_like_the_file_and_shows_the_results(
    flowsim: Flowsim, small: Path
) -> None:
    ran = flowsim("run", "small.yaml", "--workers", "1")
    assert ran.code == 0
    assert "gp_practices  rates" in ran.out
    assert "From 'gp_practices=0 %, rates=equal'" in ran.out
    assert "14/14 runs" in ran.err
    assert "14 runs (14 new)" in ran.err
    assert "No chart of b: no numbers." in ran.err
    assert "\x1b" not in ran.err + ran.out
    assert (small.parent / "out" / "small" / "summary.csv").exists()
    shown = flowsim("show", "out/small")
    assert (shown.code, shown.out, shown.err) == (0, ran.out, "")


def test_options_choose_folder_replications_and_scenarios(flowsim: Flowsim, small: Path) -> None:
    ran = flowsim(
        "run", "small.yaml", "-o", "here", "--replications", "3", "--only", "*equal", "--workers", "1"
    )
    assert ran.code == 0
    assert "2 scenarios × 3 replications" in ran.err
    rows = (small.parent / "here" / "summary.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 3 * 4


def test_show_json_is_for_scripts(flowsim: Flowsim, small: Path) -> None:
    flowsim("run", "small.yaml", "--workers", "1")
    plain = json.loads(flowsim("show", "out/small", "--json").out)
    assert plain["replications"] == 2
    assert {row["measure"] for row in plain["measures"]} >= {"referrals_created", "referrals_lost_share"}
    assert all(row["replications"] == 2 for row in plain["comparison"])


def test_compare_tells_paired_differences_of_the_measures_asked_for(flowsim: Flowsim, small: Path) -> None:
    flowsim("run", "small.yaml", "--workers", "1")
    ran = flowsim("compare", "out/small", "-m", "referrals_lost_share")
    assert len(ran.out.splitlines()) == 1 + 2
    wrong = flowsim("compare", "out/small", "-m", "referals_lost_share")
    assert (wrong.code, "Did you mean 'referrals_lost_share'?" in wrong.err) == (2, True)


def test_chart_draws_again_in_the_language_asked_for(flowsim: Flowsim, small: Path) -> None:
    flowsim("run", "small.yaml", "--workers", "1")
    ran = flowsim("chart", "out/small", "--lang", "nb")
    assert (ran.code, ran.out.strip()) == (0, "charts/a.svg")
    assert flowsim("chart", "out/small", "--lang", "fr").code == 2


@pytest.mark.parametrize("command", ["show", "compare", "chart"])
def test_a_folder_without_results_is_told(flowsim: Flowsim, tmp_path: Path, command: str) -> None:
    ran = flowsim(command, "nowhere")
    assert (ran.code, "holds no results of flowsim" in ran.err) == (2, True)


def test_a_fault_in_the_file_stops_before_anything_is_written(flowsim: Flowsim, small: Path) -> None:
    small.write_text(small.read_text().replace("seed: 1", "seed: -1"))
    ran = flowsim("run", "small.yaml")
    assert ran.code == 3
    assert "seed" in ran.err
    assert not (small.parent / "out").exists()


def test_another_configuration_in_the_folder_ends_with_3(flowsim: Flowsim, small: Path) -> None:
    flowsim("run", "small.yaml", "--workers", "1")
    small.write_text(small.read_text().replace("seed: 1", "seed: 2"))
    ran = flowsim("run", "small.yaml", "--workers", "1")
    assert ran.code == 3
    assert "seed: 1 there, 2 now" in ran.err


def test_an_interrupt_ends_with_130_and_the_command_that_goes_on(
    flowsim: Flowsim, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flowsim.experiment.working.carry_out", interrupted)
    ran = flowsim("run", "small.yaml", "--workers", "1")
    assert ran.code == 130
    assert ran.err.splitlines()[-1].endswith("To go on: flowsim run small.yaml --workers 1")
    shown = flowsim("show", "out/small")
    assert (shown.code, "is not finished" in shown.err) == (2, True)


def test_an_interrupt_before_the_first_run_is_told_too(
    flowsim: Flowsim, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flowsim.experiment.working.prepare", interrupted)
    ran = flowsim("run", "small.yaml", "--workers", "1")
    assert (ran.code, ran.err.splitlines()[-1]) == (130, "Interrupted before anything ran.")


def test_failed_runs_end_with_1(flowsim: Flowsim, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("flowsim.experiment.working.carry_out", fails)
    ran = flowsim("run", "small.yaml", "--workers", "1")
    assert ran.code == 1
    assert "replication 1: RuntimeError: no" in ran.err
    assert "Traceback" not in ran.err


def test_what_the_system_refuses_is_told_in_a_line(
    flowsim: Flowsim, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "summary.csv")

    monkeypatch.setattr("flowsim.runner.output.write_csv", full)
    ran = flowsim("run", "small.yaml", "--workers", "1")
    assert ran.code == 1
    assert ran.err.splitlines()[-1] == "The system says: No space left on device (summary.csv)."


# --- schema ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_each_kind_is_printed(flowsim: Flowsim, kind: str) -> None:
    ran = flowsim("schema", kind)
    plain = json.loads(ran.out)
    assert plain == json_schema(kind)
    assert plain["additionalProperties"] is False
    assert set(plain["properties"]) == set(KINDS[kind].model_fields)


def test_an_unknown_kind_is_told(flowsim: Flowsim) -> None:
    assert "Did you mean 'topology'?" in flowsim("schema", "topolgy").err


def test_the_reference_page_is_current(flowsim: Flowsim, tmp_path: Path) -> None:
    """Write it anew with: flowsim schema --docs docs/configuration.md."""
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == configuration_page()
    assert flowsim("schema", "--docs", "page.md").code == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == configuration_page()


def test_the_page_of_the_data_is_current(flowsim: Flowsim, tmp_path: Path) -> None:
    """Write it anew with: flowsim schema --data docs/data.md."""
    from flowsim.experiment.data_page import data_page
    from flowsim.vocabulary import ALERT_SCHEMA, JOURNAL_SCHEMA, OBSERVATION_SCHEMA

    assert (ROOT / "docs" / "data.md").read_text(encoding="utf-8") == data_page()
    assert flowsim("schema", "--data", "page.md").code == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == data_page()
    for schema in (JOURNAL_SCHEMA, OBSERVATION_SCHEMA, ALERT_SCHEMA):
        for name in schema.names or ():
            assert f"| `{name}` |" in data_page()


def test_the_reference_page_says_everything_and_its_links_lead_somewhere() -> None:
    page = configuration_page()
    anchors = {
        line.lstrip("# ").lower().replace(" ", "-") for line in page.splitlines() if line.startswith("#")
    }
    links = {part.split(")")[0] for part in page.split("](#")[1:]}
    assert links <= anchors
    for model in KINDS.values():
        for name, field in model.model_fields.items():
            assert f"| `{name}` |" in page
            assert (field.description or "").split(":")[0] in page


# --- progress -------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_plain_lines_at_each_tenth() -> None:
    stream = io.StringIO()
    with ConsoleProgress(stream) as progress:
        progress.begin(3, 100)
        for done in range(4, 101):
            progress.advance(done, 100, 0)
        progress.begin(100, 150)
        progress.note("A sentence.")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "3/100 runs are there already"
    assert lines[-3].startswith("100/100 runs   0 failed")
    assert lines[-2:] == ["100/150 runs", "A sentence."]
    assert len(lines) == 1 + 10 + 2


def test_a_terminal_gets_a_bar_that_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    with ConsoleProgress(stream) as progress:
        progress.begin(0, 2)
        progress.advance(1, 2, 1)
        progress.note("A sentence.")
    text = stream.getvalue()
    assert "A sentence." in text
    assert "1/2 runs   1 failed" in text
    assert "\x1b[3" not in text  # no colour


def test_the_command_can_be_run_as_a_module() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "flowsim", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert ran.stdout == f"flowsim {__version__}\n"


def test_validate_prints_what_each_service_is_asked_for_when_told_to(flowsim: Flowsim, small: Path) -> None:
    assert "offered" not in flowsim("validate", str(small)).out
    ran = flowsim("validate", "--loads", str(small))
    assert ran.code == 0
    assert "capacity" in ran.out
    assert "slots" in ran.out
