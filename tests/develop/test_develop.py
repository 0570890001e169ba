"""The shipped `develop` flow from a request to a merged change, beside an operator who has edits of his own."""

import subprocess

import pytest

from support.development import EDITS, Development
from support.flows import command, template
from support.repository import Finished

_GATE = "develop_merge__merge_conflict_resolution"
_MERGE = "develop_merge__merge_integrate"
_END = "develop_merge__terminal"


def test_a_change_is_merged_beside_the_operators_edits(project: Development) -> None:
    project.edit()
    project.vizier(
        *project.arguments("tidy", "echo done >>new.txt; sed -i 's/^line 3$/LINE 3/' story.txt"), "--follow"
    ).ok()
    project.settle()
    assert set(project.nodes("tidy").values()) == {"succeeded"}
    assert project.subjects() == ["feat: merge plan tidy"]
    assert project.read("new.txt") == "done\n"
    assert "LINE 3\n" in project.read("story.txt")
    assert project.edits() == EDITS
    assert project.git("diff", "--cached", "--name-only") == "staged.txt"
    assert "staged" not in project.git("show", "--name-only", "--format=", "HEAD")
    message = project.git("log", "-1", "--format=%B")
    assert "## Implementation Plan\n- do what was asked" in message
    assert "do: echo done" in message
    assert project.git("branch", "--list", "draft/*") == ""
    assert project.problems() == []


def test_an_edit_in_the_way_stops_the_merge_and_nothing_else(project: Development) -> None:
    """The node fails and names the file (decision D12); once the operator has dealt with it, a retry goes on."""
    project.write("mine.txt", "half done\n")
    done = project.vizier(*project.arguments("tidy", "echo theirs >mine.txt; echo more >new.txt"), "--follow").fails()
    project.settle()
    assert project.read("mine.txt") == "half done\n"
    assert not (project.path / "new.txt").exists()
    assert project.subjects() == []
    assert project.nodes("tidy")[_MERGE] == "failed", str(done)
    merge = project.job_of("tidy", _MERGE)
    assert "local changes would be overwritten by merge: mine.txt" in project.read(f".vizier/jobs/{merge}/stdout.log")
    project.git("stash", "-q")
    project.vizier("jobs", "retry", merge).ok()
    project.settle()
    assert project.nodes("tidy")[_END] == "succeeded"
    assert project.read("mine.txt") == "theirs\n"
    assert project.problems() == []


@pytest.mark.slow
@pytest.mark.parametrize("resolved_by", ["agent", "operator"])
def test_ten_at_once(resolved_by: str, project: Development) -> None:
    """Five of them for the same branch, two of these change the same line; the others for branches of their own."""
    scripts = {
        "one": "sed -i 's/^line 2$/line two by one/' story.txt",
        "two": "sed -i 's/^line 2$/line two by two/' story.txt",
        "three": "sed -i 's/^line 18$/line eighteen/' story.txt",
        "four": "mkdir -p four && echo 4 >four/new.txt",
        "five": "git mv README.md READ.md && echo 5 >five.txt",
    }
    elsewhere = {f"release-{number}": f"echo {number} >release.txt" for number in range(6, 11)}
    for target in elsewhere:
        project.git("branch", target)
    project.edit("mine.txt", "untracked.txt", "mine.o")
    meet = project.base / "meet"
    meet.mkdir()
    # Nobody merges before all have begun: whose branch begins at somebody else's merge could not conflict with it.
    wait = f"touch '{meet}'/$$; while [ $(ls '{meet}' | wc -l) -lt 10 ]; do sleep 0.1; done; "
    automatic = f"conflict_auto_resolve={str(resolved_by == 'agent').lower()}"
    runs = [project.begin(slug, wait + script, "--set", automatic) for slug, script in scripts.items()]
    runs += [project.begin(f"for-{target}", wait + script, target=target) for target, script in elsewhere.items()]
    for run in runs:
        out, err = run.communicate(timeout=180)
        Finished([], run.returncode, out, err).ok()
    project.settle()
    if resolved_by == "operator":
        _resolve(project)
    slugs = [*scripts, *(f"for-{target}" for target in elsewhere)]
    assert {slug: project.nodes(slug)[_END] for slug in slugs} == dict.fromkeys(slugs, "succeeded"), project.situation()
    assert sorted(project.subjects("main")) == sorted(f"feat: merge plan {slug}" for slug in scripts)
    story = project.git("show", "main:story.txt").split("\n")
    assert sorted(line for line in story if " two" in line) == ["line two by one", "line two by two"]
    assert [line for line in story if " two" not in line and line != "line eighteen"] == [
        f"line {number}" for number in range(1, 21) if number not in {2, 18}
    ]
    assert project.git("show", "main:four/new.txt") == "4"
    assert project.git("ls-tree", "--name-only", "main").split("\n").count("READ.md") == 1
    for target in elsewhere:
        assert project.subjects(target) == [f"feat: merge plan for-{target}"]
        assert project.git("show", f"{target}:release.txt") == target.removeprefix("release-")
        assert project.git("diff", "--name-only", f"main...{target}") == "release.txt"
    assert project.edits() == {**EDITS, "staged.txt": "before\n"}
    assert project.git("status", "--porcelain").split("\n") == ["M mine.txt", "?? untracked.txt"]
    assert project.git("branch", "--list", "draft/*") == ""
    assert project.problems() == []


def _resolve(project: Development) -> None:
    """What an operator does about the second of two changes of one line: edit, stage, retry the gate."""
    stopped = [slug for slug in ("one", "two") if project.nodes(slug)[_GATE] == "blocked_by_dependency"]
    assert len(stopped) == 1, project.situation()
    assert project.git("diff", "--name-only", "--diff-filter=U") == "story.txt"
    gate = project.job_of(stopped[0], _GATE)
    assert f"then `vizier jobs retry {gate}`" in project.read(f".vizier/jobs/{gate}/stderr.log")
    _edit_the_conflict(project)
    project.vizier("jobs", "retry", gate).ok()
    project.settle()


@pytest.mark.parametrize("target", ["main", "release"])
@pytest.mark.parametrize("how", ["resolved", "aborted"])
def test_a_merge_waits_for_another_one_that_has_stopped(how: str, target: str, project: Development) -> None:
    """There is one checkout: whoever comes later waits, and goes on by itself when the first is finished or aborted."""
    project.git("branch", "release")
    project.edit("mine.txt")
    _stop_a_merge(project)
    project.vizier(*project.arguments("later", "echo later >later.txt", target=target)).ok()
    project.wait(lambda: _later_is_merging(project), "the other change to reach its merge")
    project.wait_until_quiet()
    assert project.nodes("later")[_MERGE] == "blocked_by_dependency"
    assert "waiting until the merge of draft/two" in project.read(
        f".vizier/jobs/{project.job_of('later', _MERGE)}/stderr.log"
    )
    if how == "resolved":
        _resolve(project)
    else:
        project.git("merge", "--abort")
        project.vizier("run", project.write("tick.json", template(command("tick", "true"))).name, "--follow").ok()
        project.settle()
    assert project.nodes("later")[_END] == "succeeded", project.situation()
    assert project.git("show", f"{target}:later.txt") == "later"
    if how == "aborted":
        project.git("switch", "-q", "main")
        project.vizier("jobs", "retry", project.job_of("two", _GATE)).ok()
        project.settle()
        _resolve(project)
    assert project.nodes("two")[_END] == "succeeded", project.situation()
    assert "line two by one\nline two by two\n" in project.git("show", "main:story.txt")
    assert project.read("mine.txt") == EDITS["mine.txt"]
    assert project.problems() == []


@pytest.mark.parametrize("other", ["retry", "commit"])
def test_two_operators_finish_the_same_merge(other: str, project: Development) -> None:
    """Both retry the gate at once, or one commits by hand while the other retries: one merge comes of it."""
    project.edit("mine.txt")
    _stop_a_merge(project)
    _edit_the_conflict(project)
    retry = ("jobs", "retry", project.job_of("two", _GATE))
    first = project.start(*retry)
    if other == "retry":
        second = project.start(*retry)
    else:
        second = subprocess.Popen(
            ["git", "commit", "-q", "--no-edit"], cwd=project.path, env=project.env, stderr=subprocess.PIPE, text=True
        )
    for process in (first, second):
        process.communicate(timeout=120)
    project.settle()
    for job_id in [job_id for job_id, status in project.statuses().items() if status == "failed"]:
        project.vizier("jobs", "retry", job_id).ok()
        project.settle()
    assert project.nodes("two")[_END] == "succeeded", project.situation()
    commits = project.git("rev-list", "--count", "--first-parent", "HEAD")
    assert commits == "4", project.git("log", "--graph", "--oneline")
    assert "line two by one\nline two by two\n" in project.git("show", "HEAD:story.txt")
    assert project.read("mine.txt") == EDITS["mine.txt"]
    assert project.git("branch", "--list", "draft/*") == ""
    assert project.problems() == []


def _stop_a_merge(project: Development) -> None:
    """Leaves the merge of `draft/two` in the checkout, with a conflict for the operator."""
    project.git("branch", "draft/two")
    project.vizier(*project.arguments("one", "sed -i 's/^line 2$/line two by one/' story.txt"), "--follow").ok()
    work = "sed -i 's/^line 2$/line two by two/' story.txt"
    project.vizier(*project.arguments("two", work, "--set", "conflict_auto_resolve=false")).ok()
    project.settle()
    assert project.git("rev-parse", "MERGE_HEAD") == project.git("rev-parse", "draft/two")


def _later_is_merging(project: Development) -> bool:
    return project.nodes("later").get(_MERGE) not in {"queued", "waiting_on_deps", "waiting_on_locks", "running"}


def _edit_the_conflict(project: Development) -> None:
    """Keeps both sides."""
    lines = [line for line in project.read("story.txt").split("\n") if line[:7] not in {"<" * 7, "=" * 7, ">" * 7}]
    project.write("story.txt", "\n".join(lines))
    project.git("add", "story.txt")
