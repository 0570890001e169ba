"""Run by test_boundaries.py in an interpreter of its own: uses the pure packages while everything they do is watched.

Prints one JSON object: `violations`, what importing or calling them did that a pure function cannot do, and `called`,
the public functions that were called. With the argument `--self-test`, an impure function is called as well.
"""

import codecs
import contextlib
import datetime
import enum
import importlib
import importlib.util
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType, FunctionType

#: All that the pure packages may import, `msgspec` in the kernel only. Nothing here can reach outside the process.
ALLOWED = (
    *("__future__", "abc", "bisect", "collections", "datetime", "decimal", "difflib", "enum", "fractions", "functools"),
    *("hashlib", "heapq", "itertools", "json", "math", "operator", "re", "string", "textwrap", "types", "typing"),
    *("unicodedata", "msgspec"),
)
PURE = ("vizier_hcl", "vizier_kernel")
#: What says in `__all__` what it offers, and modules that offer all that has no underscore in front.
FACADES = ("vizier_hcl", "vizier_kernel.release", "vizier_kernel.scheduler", "vizier_kernel.template")
MODULES = tuple(f"vizier_kernel.{name}" for name in ("names", "placeholders", "plan_document", "prompt", "suggest"))
#: Python code that may run while the pure packages work: theirs, the allowed modules', this file's.
TRUSTED = {*ALLOWED, *PURE, "__main__", "_collections_abc", "contextlib", "copyreg", "encodings"}
#: Codecs that they use beside UTF-8; the interpreter loads each from its library on first use.
CODECS = ("unicode_escape",)
#: Where the C functions live that touch a file, a process, a clock, the network, chance or the terminal.
IMPURE_MODULES = {"_io", "_posixsubprocess", "_signal", "_socket", "fcntl", "io", "posix", "random", "time"}
IMPURE_BUILTINS = {"breakpoint", "input", "open", "print"}
CLOCKS = {"now", "today", "utcnow"}
#: What an import does; allowed while the packages are imported, and only to their own files.
IMPORT_EVENTS = {"compile", "exec", "import", "marshal.loads", "os.listdir"}
#: What CPython reports although it reaches nothing outside the interpreter.
HARMLESS_EVENTS = {
    *("builtins.id", "code.__new__", "function.__new__", "object.__getattr__", "object.__setattr__", "sys._getframe"),
    "sys.setprofile",  # the end of the watch itself
}


class Phase(enum.Enum):
    """What is going on, and so what is allowed."""

    IDLE = "idle"
    IMPORT = "import"
    CALL = "call"


class Watch:
    """Notes everything impure that happens while it looks."""

    def __init__(self) -> None:
        self.phase = Phase.IDLE
        self.violations: list[str] = []
        self.called: set[str] = set()
        sys.addaudithook(self.audit)

    @contextlib.contextmanager
    def looks_at(self, phase: Phase):
        """Look for as long as the block lasts."""
        self.phase = phase
        sys.setprofile(self.profile if phase is Phase.CALL else None)
        try:
            yield
        finally:
            sys.setprofile(None)
            self.phase = Phase.IDLE

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        """Take what the interpreter reports: opened files, started processes, sockets, imports and so on."""
        if self.phase is Phase.IDLE or event in HARMLESS_EVENTS:
            return
        if self.phase is Phase.IMPORT:
            own_file = event == "open" and any(f"/{package}/" in str(arguments[0]) for package in PURE)
            if own_file or event in IMPORT_EVENTS:
                return
        self.note(f"{event} {arguments!r}")

    def profile(self, frame: FrameType, event: str, function: object) -> None:
        """Take what no audit event reports: clocks, the environment, chance, output."""
        if event == "call":
            module = str(frame.f_globals.get("__name__"))
            root = module.partition(".")[0]
            if root in PURE:
                self.called.add(f"{module}.{frame.f_code.co_qualname}")
            elif root not in TRUSTED and not module.startswith(("namedtuple_", "importlib._bootstrap")):
                self.note(f"{module}.{frame.f_code.co_qualname}")
        elif event == "c_call":
            module = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__
            name = getattr(function, "__name__", "")
            if module in IMPURE_MODULES or name in CLOCKS or (module == "builtins" and name in IMPURE_BUILTINS):
                self.note(f"{module}.{name}")

    def note(self, what: str) -> None:
        self.violations.append(f"{self.phase.value}: {what[:200]}")


def impure() -> None:
    """Do one of each thing that the watch must notice: a silent watch proves nothing."""
    os.environ.get("HOME")
    random.random()
    time.monotonic()
    datetime.datetime.now()
    print(end="")
    Path("/dev/null").read_text()
    subprocess.run(["true"], check=True)


#: Every kind of expression of the language.
LANGUAGE = """
sum    = 1 + 2 * -3 % 4 - 10 / 5
logic  = !true || 1 < 2 && "a" != "b" ? [1, 2][0] : { a = 1 }.a
joined = "%{ for x in [1, 2] }${x},%{ endfor }%{ if true }yes%{ else }no%{ endif }"
listed = [for k, v in { a = 1, b = 2 } : "${k}=${v}" if v > 1]
mapped = { for v in ["x", "y"] : v => v... }
splat  = [{ a = 1 }, { a = 2 }].*.a
text   = <<-END
    indented "text"
    END
block "label" { inner = null }
"""
#: Mistakes that are found by the lexer, the parser and the evaluation.
MISTAKES = ("a = \x01\n", 'a = "\n', "a = [1,\n", "a = b\n", "a = 1\na = 2\n", "a = 1 + true\n", "a = 1 / 0\n")

STAGE = """
id = "template.stage"
version = "v1"
params = { slug = "s", spec = "plan.md" }
nodes = [{
  id   = "plan"
  uses = "cap.env.builtin.plan.persist"
  args = { spec_source = "inline", spec_file = "$${spec}", slug = "$${slug}" }
}]
"""
ROOT = """
id = "template.root"
version = "v1"
params = { word = "hello" }
imports = [{ name = "stage", path = "stage.hcl" }]
artifact_contracts = [{ id = "report", version = "v1", schema = { type = "object", required = ["key"] } }]
cli = { positional = ["word"], named = { say = "word" } }
nodes = [
  {
    id       = "first"
    kind     = "shell"
    uses     = "cap.env.shell.command.run"
    args     = { script = "echo $${word}" }
    produces = { succeeded = [{ custom = { type_id = "report", key = "words" } }] }
    gates    = [{ kind = "approval", required = true }]
    retry    = { mode = "on_failure", budget = "2" }
  },
  {
    id    = "end"
    kind  = "gate"
    uses  = "control.terminal"
    needs = [{ custom = { type_id = "report", key = "words" } }]
  },
]
"""


def use_the_language() -> None:
    """Evaluate good and bad files, and speak about them."""
    import vizier_hcl as hcl

    document = hcl.evaluate(LANGUAGE, display_path="language.hcl")
    document.key_position(("text",))
    hcl.render([document.diagnostic(("block", "label"), "a remark")], "language.hcl")
    hcl.top_level_strings(LANGUAGE, ("joined",), display_path="language.hcl")
    for mistake in MISTAKES:
        try:
            hcl.evaluate(mistake, display_path="mistake.hcl")
        except hcl.HclError as error:
            str(error)
        else:
            raise AssertionError(mistake)


def use_the_templates() -> None:
    """Take two files from text to an audited workflow, and have some refused."""
    import vizier_hcl as hcl
    from vizier_kernel import template
    from vizier_kernel.artifacts import Artifact
    from vizier_kernel.template.graph import WorkflowGraph

    def load(path: str, _importer: str):
        document = hcl.evaluate(ROOT if path == "root.hcl" else STAGE, display_path=path)
        return template.decode_template(document.value, origin=path, positions=document.position)

    composed = template.compose(load("root.hcl", ""), load)
    inputs = template.resolve_inputs(template.input_spec(composed), "root.hcl", ["spec=other.md"], ["bye"])
    expanded = template.expand(composed, inputs.overrides)
    template.preflight(expanded, "root.hcl")
    expanded = template.with_spec_texts(expanded, {file.node_id: "text" for file in template.spec_files(expanded)})
    workflow = template.compile_workflow(expanded, run_id="run_1")
    template.audit_workflow(workflow)
    graph = WorkflowGraph(expanded)
    template.compile_node(graph, "first", {node.id: node.job_id for node in workflow.nodes})
    template.effective_artifact(Artifact.operation_output("first"))
    template.sample_value(template.kebab("plan_slug"))
    for flaw in ({"nodes": 1}, {"id": "x", "version": "v1", "nodes": [{"id": "a", "uses": "cap.agent.invok"}]}):
        try:
            broken = template.compose(template.decode_template(flaw, origin="broken.json"), load)
            template.compile_workflow(template.expand(broken, {}))
        except template.TemplateError as error:
            str(error)
        else:
            raise AssertionError(flaw)


def use_the_scheduler() -> None:
    """Decide about jobs that start, wait and are blocked."""
    from vizier_kernel import scheduler
    from vizier_kernel.artifacts import Artifact

    queued, lock = scheduler.JobStatus.QUEUED, scheduler.Lock("branch:main", scheduler.LockMode.EXCLUSIVE)
    jobs = (
        scheduler.JobFacts("free", queued, locks=(lock,)),
        scheduler.JobFacts("locked", queued, locks=(lock,)),
        scheduler.JobFacts("after", queued, after=("failed",)),
        scheduler.JobFacts("needs", queued, dependencies=(Artifact.custom("report", "words"),)),
        scheduler.JobFacts("doomed", queued, after=("needs",)),
    )
    statuses = {job.job_id: job.status for job in jobs} | {"failed": scheduler.JobStatus.FAILED}
    facts = scheduler.Facts(jobs, statuses)
    scheduler.evaluate(facts)
    scheduler.evaluate_job(jobs[0], facts)


def use_the_prompts() -> None:
    """Fill in placeholders, some of which stand for nothing, and assemble the prompt of a merge conflict."""
    from vizier_kernel import placeholders, prompt

    nodes = {"a__ask": {"word": "hello"}, "a__plan": {"slug": "s"}, "b__plan": {"slug": "t"}, "b__last": {"x": "y"}}
    variables = placeholders.prompt_variables("a__ask", nodes["a__ask"], nodes, "/somewhere")
    text = "{{word}} {{plan.slug}} {{last.x}} {{file:goal.txt}} {{execution_root}} \\{{"
    assert placeholders.render(text, variables, str.upper) == "hello s y GOAL.TXT /somewhere {{"
    for mistake in ("{{nobody}}", "{{", "{{ }}", "{{file:}}"):
        try:
            placeholders.render(mistake, variables, str)
        except placeholders.PlaceholderError as error:
            str(error)
        else:
            raise AssertionError(mistake)
    placeholders.may_be_missing(".vizier/narrative/snapshot.md")
    documents = (prompt.NarrativeDocument("glossary.md", "words"), prompt.NarrativeDocument("long.md", "x" * 100_000))
    conflict = prompt.MergeConflict("main", "draft/x", ("a.txt",), "the plan")
    for narrative in (prompt.Narrative(), prompt.Narrative("now", documents), prompt.Narrative("", ())):
        prompt.merge_conflict_prompt(prompt.with_companion("first", "then"), conflict, narrative)


def use_the_plans() -> None:
    """Name plans, write and read their documents, and look for what a word was meant for."""
    from vizier_kernel import names, plan_document, suggest

    slug = names.normalise_slug(names.slug_from_spec("Sort the list by date"))
    plan_document.plan_document_path(names.plan_slug(slug))
    document = plan_document.write_plan_document(
        plan_id="pln_1", slug=slug, branch=plan_document.default_branch(slug), specification="Sort it.", plan="1. Do"
    )
    plan_document.read_plan_document(document)
    names.component("a b")
    names.workflow_job_id("run_1", "node")
    names.command_alias("build-it")
    names.canonical_selector("template.x.v1")
    assert suggest.did_you_mean("agnet", ("agent", "label"))
    suggest.nearest("agnet", ("agent", "label"))


def use_the_releases() -> None:
    """Decide on a release and say what is in it."""
    from vizier_kernel import release

    last = release.parse_release_tag("v1.2.3")
    commits = tuple(release.ReleaseCommit("0" * 40, text) for text in ("feat(ui)!: more", "fix: less", "no type", None))
    release.is_conventional(commits[0].subject)
    for forced in (None, release.Bump.PATCH):
        plan = release.ReleasePlan(last, commits, forced, 20)
        release.commit_message(plan, "2026-01-01T00:00:00Z")
        release.notes_preview(plan)
        release.tag_message(plan)


def modules_of(package: str) -> list[str]:
    """Every module of a package, without importing any."""
    spec = importlib.util.find_spec(package)
    assert spec, package
    home = Path(str(spec.origin)).parent
    paths = sorted(path.relative_to(home.parent).with_suffix("") for path in home.rglob("*.py"))
    return [".".join(path.parts).removesuffix(".__init__") for path in paths]


def public_functions() -> set[str]:
    """The functions that the pure packages offer to others."""
    facades = [importlib.import_module(name) for name in FACADES]
    offered = [getattr(facade, name) for facade in facades for name in facade.__all__]
    for module in map(importlib.import_module, MODULES):
        own = (item for name, item in vars(module).items() if not name.startswith("_"))
        offered += [item for item in own if getattr(item, "__module__", None) == module.__name__]
    return {f"{item.__module__}.{item.__qualname__}" for item in offered if isinstance(item, FunctionType)}


def main(arguments: list[str]) -> None:
    """Import and use the packages, then print what was noticed."""
    for name in ALLOWED:  # What is imported late must not count as the work of a function.
        importlib.import_module(name)
    for codec in CODECS:
        codecs.lookup(codec)
    modules = [module for package in PURE for module in modules_of(package)]
    watch = Watch()
    with watch.looks_at(Phase.IMPORT):
        for module in modules:
            importlib.import_module(module)
    with watch.looks_at(Phase.CALL):
        use_the_language()
        use_the_templates()
        use_the_scheduler()
        use_the_prompts()
        use_the_plans()
        use_the_releases()
        if "--self-test" in arguments:
            impure()
    uncalled = public_functions() - watch.called
    print(json.dumps({"violations": watch.violations, "uncalled": sorted(uncalled)}))


if __name__ == "__main__":
    main(sys.argv[1:])
