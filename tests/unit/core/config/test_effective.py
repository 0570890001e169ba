"""Layers merged, and what they make of the settings (spec 07 §2.4, §2.5)."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from vizier_core.config import GitSettings, Settings, ViewFormat
from vizier_core.config.effective import Effective, make_settings
from vizier_core.config.keys import KEYS
from vizier_core.config.layers import Layer
from vizier_core.jobs.settings import JobSettings, LauncherForm


def test_no_layer_makes_the_defaults():
    assert make_settings(Effective([])) == Settings()


def test_jobs_and_git(settings_of):
    settings = settings_of(
        """
        [jobs]
        lock_timeout_seconds = 2.5
        max_route_attempts = 3
        launcher = "exec"
        agent_timeout_seconds = 60
        cancel.cleanup_worktree = true
        [git]
        hooks = true
        sign = "true"
        """
    )
    assert settings.jobs == JobSettings(
        lock_timeout=2.5, max_route_attempts=3, launcher=LauncherForm.EXEC, cancel_cleanup_worktree=True
    )
    assert settings.git == GitSettings(hooks=True, sign=True)
    assert settings.agents.timeout == 60.0


def test_flows_and_release(settings_of):
    settings = settings_of(
        """
        release.gate.script = " make publish "
        [commands]
        Build-All = " file:.vizier/build.hcl "
        [workflow.global_workflows]
        enabled = false
        dir = "/srv/flows"
        """
    )
    assert settings.commands == {"build_all": "file:.vizier/build.hcl"}
    assert settings.release_script == "make publish"
    assert (settings.global_workflows, settings.global_workflow_directory) == (False, Path("/srv/flows"))


def test_display(settings_of):
    settings = settings_of(
        """
        [display.lists.list]
        format = "json"
        header_fields = ["a"]
        entry_fields = ["b"]
        job_fields = ["c"]
        command_fields = []
        summary_max_len = 7
        summary_single_line = false
        labels.Outcome = "One"
        [display.lists.jobs]
        format = "table"
        show_succeeded = true
        fields = ["d"]
        labels."Waited-on" = "Two"
        [display.lists.jobs-show]
        format = "json"
        fields = ["e"]
        labels."  exit_CODE" = "Three"
        """
    )
    plans, jobs, show = settings.display.list, settings.display.jobs, settings.display.jobs_show
    assert (plans.format, plans.labels) == (ViewFormat.JSON, {"outcome": "One"})
    assert (plans.header_fields, plans.entry_fields) == (("a",), ("b",))
    assert (plans.job_fields, plans.command_fields) == (("c",), ())
    assert (plans.summary_max_length, plans.summary_single_line) == (7, False)
    assert (jobs.format, jobs.show_succeeded, jobs.fields) == (ViewFormat.TABLE, True, ("d",))
    assert jobs.labels == {"waited on": "Two"}
    assert (show.format, show.fields, show.labels) == (ViewFormat.JSON, ("e",), {"exit code": "Three"})


def test_scalars_and_lists_are_replaced(settings_of):
    weak = '[display.lists.jobs]\nformat = "json"\nfields = ["Job", "Status"]\nshow_succeeded = true\n'
    strong = '[display.lists.jobs]\nformat = "block"\nfields = []\nshow_succeeded = 1\n'
    jobs = settings_of(weak, strong).display.jobs
    assert (jobs.format, jobs.fields, jobs.show_succeeded) == (ViewFormat.BLOCK, (), True)


def test_labels_are_compared_by_their_normal_form_before_the_later_layer_wins(settings_of):
    """Ruling R20."""
    weak = '[display.lists.jobs.labels]\n"waited-on" = "Weak"\nstatus = "State"\n'
    strong = '[display.lists.jobs.labels]\n"WAITED  on" = "Strong"\nSTATUS = " "\n"-" = "x"\n'
    assert settings_of(weak, strong).display.jobs.labels == {"waited on": "Strong", "status": "State"}


def test_commands_are_replaced_one_by_one(settings_of):
    settings = settings_of("commands = {a = 'file:1', b = 'file:2'}", "commands = {'B' = 'file:3', c = 'file:4'}")
    assert settings.commands == {"a": "file:1", "b": "file:3", "c": "file:4"}


def test_of_two_keys_for_one_alias_the_last_in_byte_order_counts(settings_of):
    assert settings_of("commands = {build_all = 'file:2', build-all = 'file:1'}").commands == {"build_all": "file:2"}
    assert (
        settings_of("agents.commands = {a_b = {agent = 'y'}, a-b = {agent = 'x'}}").agents.commands["a_b"].selector
        == "y"
    )


def test_profiles_are_merged_by_field(read):
    weak = read("[build.profiles.' fast ']\npipeline = 'approve'\nskip_checks = true\n[build.profiles]\nempty = 3\n")
    strong = read(
        "[build.profiles.fast]\ndefault_pipeline = 'approve-review'\n[build.profiles.' ']\nskip_checks = true\n"
    )
    settings = Effective([weak, strong]).settings
    assert {address: setting.value for address, setting in settings.items()} == {
        ("build.profiles.<name>.pipeline", ("fast",)): "approve-review",
        ("build.profiles.<name>.skip_checks", ("fast",)): True,
    }


def test_the_settings_of_a_gate_come_from_two_files(read):
    """Spec 07 §11."""
    weak = read("[merge.cicd_gate]\nscript = './ci.sh'\nretries = 2\n")
    effective = Effective([weak, read("[merge.cicd_gate]\nauto-fix = 'true'\n")])
    gate = {name: effective.value(f"merge.cicd_gate.{name}") for name in ("script", "retries", "auto_resolve")}
    assert gate == {"script": "./ci.sh", "retries": 2, "auto_resolve": True}


PATHS = st.sampled_from([key.path for key in KEYS])
VALUES = st.dictionaries(st.tuples(PATHS, st.just(())), st.integers(), max_size=6)


@given(st.lists(VALUES, max_size=4))
def test_merging_is_a_fold_from_the_left_key_by_key(layers):
    files = [Layer(values, (), (Path(f"/{place}"),)) for place, values in enumerate(layers)]
    merged = Effective(files).settings
    for address in {address for values in layers for address in values}:
        (*_, last) = (file for file in files if address in file.values)
        assert merged[address] == (last.values[address], last.files[0])
    assert merged.keys() == {address for values in layers for address in values}


@given(VALUES, VALUES, VALUES)
def test_merging_is_associative(first, second, third):
    here = (Path("/x"),)

    def merged(*layers):
        return {
            address: setting.value
            for address, setting in Effective(Layer(v, (), here) for v in layers).settings.items()
        }

    assert merged(merged(first, second), third) == merged(first, merged(second, third)) == merged(first, second, third)
