"""Every command with its options and arguments (spec 08 §4)."""

from typing import Final

from vizier_cli.cli.declarations import Command, Completes, Kind, Option, Positional

_UNSIGNED: Final = (0, 2**32 - 1)
_TEXT_OR_JSON: Final = Option(
    "format", "Output format", kind=Kind.VALUE, value_name="FORMAT", choices=("text", "json"), default="text"
)
_VIEW_FORMAT: Final = Option(
    "format",
    "Output format [default: from the configuration]",
    kind=Kind.VALUE,
    value_name="FORMAT",
    choices=("block", "table", "json"),
)
_SET: Final = Option(
    "set", "Set a workflow parameter", kind=Kind.VALUES, value_name="KEY=VALUE", completes=Completes.PARAMETER
)
_JOB: Final = Positional("JOB", "Job id", completes=Completes.JOB)
_FLOW: Final = Positional("FLOW", "Alias, template file or selector id@version", completes=Completes.FLOW)
_INPUTS: Final = Positional(
    "INPUT", "Positional inputs of the workflow", required=False, repeated=True, completes=Completes.INPUT
)
#: The shells that can complete command lines, in the order in which messages list them.
SHELLS: Final = ("bash", "elvish", "fish", "powershell", "zsh")

#: Accepted everywhere, in the order in which help lists them.
GLOBAL_OPTIONS: Final = (
    Option("verbose", "Say more on stderr; repeat for debugging", short="v", kind=Kind.COUNT),
    Option("quiet", "Print nothing but errors on stderr", short="q"),
    Option("debug", "Same as -vv", short="d"),
    Option("no-ansi", "Print no terminal escape sequences"),
    Option("no-pager", "Do not page help", hidden=True),
    Option(
        "load-session",
        "Load a recorded session",
        short="l",
        kind=Kind.VALUE,
        value_name="LOAD_SESSION",
        non_empty=True,
        completes=Completes.SESSION,
    ),
    Option("no-session", "Do not write session logs", short="n"),
    Option(
        "config-file",
        "Read only this configuration file",
        short="C",
        kind=Kind.VALUE,
        value_name="CONFIG_FILE",
        non_empty=True,
    ),
)

_JOBS: Final = Command(
    "jobs",
    "Inspect and steer background jobs",
    creates_jobs_root=True,
    commands=(
        Command(
            "list",
            "List jobs",
            action="jobs_list",
            options=(
                Option("all", "Also list succeeded jobs", short="a"),
                Option("dismiss-failures", "Hide failed jobs"),
                _VIEW_FORMAT,
                Option("raw", "Print the typed JSON envelope", requires=("format",)),
            ),
        ),
        Command(
            "schedule",
            "Show what runs and what waits for what",
            action="jobs_schedule",
            options=(
                Option("all", "Also show finished jobs", short="a"),
                Option(
                    "job",
                    "Show one job and its neighbours",
                    kind=Kind.VALUE,
                    value_name="JOB",
                    completes=Completes.JOB,
                ),
                Option(
                    "format",
                    "Output format",
                    kind=Kind.VALUE,
                    value_name="FORMAT",
                    choices=("summary", "dag", "json"),
                    default="summary",
                ),
                Option("raw", "Print the typed JSON envelope", requires=("format",)),
                Option("watch", "Keep the summary up to date on the terminal"),
                Option("top", "Rows to watch", kind=Kind.VALUE, value_name="N", number=_UNSIGNED, default="10"),
                Option(
                    "interval-ms",
                    "Milliseconds between two frames",
                    kind=Kind.VALUE,
                    value_name="MS",
                    number=_UNSIGNED,
                    default="500",
                ),
                Option(
                    "max-depth",
                    "How far to follow dependencies",
                    kind=Kind.VALUE,
                    value_name="N",
                    number=_UNSIGNED,
                    default="3",
                ),
            ),
        ),
        Command(
            "show",
            "Show one job",
            action="jobs_show",
            options=(_VIEW_FORMAT, Option("raw", "Print the typed JSON envelope", requires=("format",))),
            positionals=(_JOB,),
        ),
        Command(
            "status", "Print the status of a job", action="jobs_status", options=(_TEXT_OR_JSON,), positionals=(_JOB,)
        ),
        Command(
            "approve",
            "Approve a job that waits for approval",
            action="jobs_approve",
            options=(_TEXT_OR_JSON,),
            positionals=(_JOB,),
        ),
        Command(
            "reject",
            "Reject a job that waits for approval",
            action="jobs_reject",
            options=(Option("reason", "Why", kind=Kind.VALUE, value_name="TEXT"), _TEXT_OR_JSON),
            positionals=(_JOB,),
        ),
        Command(
            "retry",
            "Run a job and everything downstream of it again",
            action="jobs_retry",
            options=(_TEXT_OR_JSON,),
            positionals=(_JOB,),
        ),
        Command(
            "tail",
            "Print the logs of a job",
            action="jobs_tail",
            options=(
                Option(
                    "stream",
                    "Which log to print",
                    kind=Kind.VALUE,
                    value_name="STREAM",
                    choices=("stdout", "stderr", "both"),
                    default="both",
                ),
                Option("follow", "Go on until the job ends"),
            ),
            positionals=(_JOB,),
        ),
        Command("attach", "Follow both logs of a job", action="jobs_tail", positionals=(_JOB,)),
        Command(
            "cancel",
            "Cancel a job",
            action="jobs_cancel",
            options=(
                Option("cleanup-worktree", "Remove the job's worktree", conflicts=("no-cleanup-worktree",)),
                Option("no-cleanup-worktree", "Keep the job's worktree"),
                _TEXT_OR_JSON,
            ),
            positionals=(_JOB,),
        ),
        Command(
            "gc",
            "Remove old finished jobs",
            action="jobs_gc",
            options=(
                Option(
                    "days",
                    "Keep what finished in the last so many days",
                    kind=Kind.VALUE,
                    value_name="DAYS",
                    number=(0, 2**64 - 1),
                    default="7",
                ),
                _TEXT_OR_JSON,
            ),
        ),
    ),
)

_RUN: Final = Command(
    "run",
    "Run a workflow",
    action="run",
    options=(
        _SET,
        Option(
            "check",
            "Validate only; enqueue nothing",
            conflicts=("after", "ephemeral", "require-approval", "no-require-approval", "follow", "repeat"),
        ),
        Option(
            "spec-dir",
            "Enqueue a run for every markdown file in a directory",
            kind=Kind.VALUE,
            value_name="DIR",
            non_empty=True,
            conflicts=("repeat",),
        ),
        Option(
            "after",
            "Wait for a job or for run:<run id>",
            kind=Kind.VALUES,
            value_name="REF",
            completes=Completes.JOB_OR_RUN,
        ),
        Option("require-approval", "Ask for approval before the first jobs start", conflicts=("no-require-approval",)),
        Option("no-require-approval", "Start the first jobs without approval"),
        Option("ephemeral", "Remove all traces of the run once it has ended"),
        Option("follow", "Follow the run to its end"),
        Option(
            "repeat",
            "Enqueue the run so many times, one after the other",
            kind=Kind.VALUE,
            value_name="N",
            number=(1, 2**32 - 1),
            default="1",
        ),
        _TEXT_OR_JSON,
    ),
    positionals=(_FLOW, _INPUTS),
)

_INIT: Final = Command(
    "init",
    "Create the files that vizier works with",
    action="init",
    options=(Option("check", "Only say what is missing"),),
    prepares_itself=True,
)

_CONFIG: Final = Command(
    "config",
    "Explain the configuration",
    commands=(
        Command(
            "show",
            "Show every setting in force and the file that it comes from",
            action="config_show",
            options=(_TEXT_OR_JSON,),
        ),
    ),
)

_WORKER: Final = Command(
    "__workflow-node",
    "Run one workflow node",
    action="workflow_node",
    options=(
        Option("job-id", "Job id", kind=Kind.VALUE, value_name="JOB_ID", required=True),
        Option("start-token", "Token of the starter", kind=Kind.VALUE, value_name="TOKEN", hidden=True),
    ),
    hidden=True,
)

_CD: Final = Command(
    "cd",
    "Deprecated: plans have no workspaces any more",
    action="cd",
    options=(
        Option("branch", "Ignored", kind=Kind.VALUE, value_name="BRANCH", completes=Completes.BRANCH),
        Option("path-only", "Ignored"),
    ),
    positionals=(Positional("PLAN", "Plan slug", required=False, completes=Completes.PLAN),),
)

_COMPLETIONS: Final = Command(
    "completions",
    "Print the script that lets a shell complete vizier's command lines",
    action="completions",
    positionals=(Positional("SHELL", "Shell", choices=SHELLS),),
    anywhere=True,
)

_SCHEMA: Final = Command(
    "schema",
    "Print a JSON Schema, with which editors complete and check files",
    action="schema",
    positionals=(Positional("FORMAT", "What the schema describes", choices=("template",)),),
    anywhere=True,
)

_RELEASE: Final = Command(
    "release",
    "Make a release commit and tag from the commits since the last one",
    action="release",
    options=(
        Option("dry-run", "Show what would be released and change nothing"),
        Option("yes", "Do not ask", short="y"),
        Option("major", "Force a major release", conflicts=("minor", "patch")),
        Option("minor", "Force a minor release", conflicts=("patch",)),
        Option("patch", "Force a patch release"),
        Option(
            "max-commits",
            "How many commits the notes list",
            kind=Kind.VALUE,
            value_name="N",
            number=(0, 2**64 - 1),
            default="20",
        ),
        Option("no-tag", "Make no tag"),
        Option(
            "release-script",
            "Command that has to succeed, or the release is taken back",
            kind=Kind.VALUE,
            value_name="CMD",
            conflicts=("no-release-script",),
        ),
        Option("no-release-script", "Run no such command"),
    ),
)

ROOT: Final = Command(
    "vizier",
    "Lets coding agents and scripts maintain a git repository under an operator's control",
    commands=(
        Command(
            "help",
            "Show help",
            options=(Option("all", "Show the full reference", short="a", conflicts=("COMMAND",)),),
            positionals=(Positional("COMMAND", "Command to explain", required=False, completes=Completes.COMMAND),),
            action="help",
            anywhere=True,
        ),
        _INIT,
        Command(
            "list",
            "List plans that are not merged yet",
            action="list",
            options=(
                Option(
                    "target",
                    "Compare with this branch instead of the primary one",
                    kind=Kind.VALUE,
                    value_name="BRANCH",
                    completes=Completes.BRANCH,
                ),
                _VIEW_FORMAT,
                Option(
                    "fields", "Fields to show for each plan, separated by commas", kind=Kind.VALUE, value_name="FIELDS"
                ),
            ),
        ),
        _CD,
        Command(
            "clean",
            "Remove what a job or its run has left behind",
            action="clean",
            options=(
                Option("yes", "Do not ask", short="y"),
                _TEXT_OR_JSON,
                Option("keep-branches", "Delete no branches"),
                Option("force", "Go on although active jobs wait for what is removed"),
            ),
            positionals=(Positional("JOB_ID", "Job id", completes=Completes.JOB),),
        ),
        _JOBS,
        _RUN,
        Command(
            "audit",
            "Show what a workflow produces, needs and locks",
            action="audit",
            options=(
                _SET,
                _TEXT_OR_JSON,
                Option("strict", "Exit with 10 if some input has no producer"),
            ),
            positionals=(_FLOW, _INPUTS),
        ),
        _SCHEMA,
        _COMPLETIONS,
        _RELEASE,
        _CONFIG,
        Command("__complete", "Do nothing", action="complete", hidden=True, anywhere=True),
        _WORKER,
    ),
)
