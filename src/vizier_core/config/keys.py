"""The one list of configuration keys (spec 07 §2.5, §3, §8.2).

Reading, defaults, suggestions for unknown keys and `vizier config show` follow it. `<name>` stands for a part of a key
that the operator chooses. Every part may be written with `-` for `_`, but for the keys of runtime tables; a row lists
further spellings only.
"""

from enum import Enum
from typing import Any, Final, NamedTuple

from vizier_core.config.agents import LIVE_PROMPTS, PromptKind
from vizier_core.config.display import ViewFormat
from vizier_core.config.runtime import LIVE_RUNTIME_KEYS, PROMPT, RUNTIME_KEYS
from vizier_core.config.selectors import SELECTOR
from vizier_core.config.settings import Settings
from vizier_core.config.values import (
    AGENT,
    BRANCH,
    CHECK_COMMANDS,
    DIRECTORY,
    FIELDS,
    FLAG,
    POSITIVE,
    SECONDS,
    SIZE,
    SWITCH,
    TEXT,
    UNSIGNED,
    Kind,
    choice,
    member_of,
    some_of,
    strict_choice,
)
from vizier_core.jobs.settings import LauncherForm


class Status(Enum):
    """What a key does."""

    #: Some command goes by it.
    LIVE = "live"
    #: It is understood and has no effect.
    LEGACY = "legacy"


class Key(NamedTuple):
    """A configuration key."""

    #: Dotted.
    path: str
    kind: Kind
    #: What holds if no file says anything; None for nothing.
    default: Any = None
    #: Further spellings of the last part. The first one that is present counts, the usual one before these.
    also: tuple[str, ...] = ()
    status: Status = Status.LIVE

    @property
    def chosen_parts(self) -> int:
        """How many parts of the key the operator chooses."""
        return self.path.count("<")


#: Further spellings of tables.
TABLE_SPELLINGS: Final = {"merge.conflicts": ("conflict",)}

_DEFAULT: Final = Settings()
_LIST: Final = _DEFAULT.display.list
_JOBS: Final = _DEFAULT.display.jobs
_SHOW: Final = _DEFAULT.display.jobs_show

_LIVE_KEYS: Final = (
    Key("agent", AGENT, _DEFAULT.agents.root.selector),
    Key("commands.<alias>", SELECTOR),
    Key("workflow.global_workflows.enabled", FLAG, _DEFAULT.global_workflows, ("enable",)),
    Key("workflow.global_workflows.dir", DIRECTORY),
    Key("release.gate.script", TEXT),
    Key("jobs.lock_timeout_seconds", SECONDS, _DEFAULT.jobs.lock_timeout),
    Key("jobs.max_route_attempts", UNSIGNED, _DEFAULT.jobs.max_route_attempts),
    Key("jobs.launcher", member_of(LauncherForm), _DEFAULT.jobs.launcher),
    Key("jobs.agent_timeout_seconds", SECONDS, _DEFAULT.agents.timeout),
    Key("jobs.cancel.cleanup_worktree", FLAG, _DEFAULT.jobs.cancel_cleanup_worktree),
    Key("git.hooks", FLAG, _DEFAULT.git.hooks),
    Key("git.sign", FLAG, _DEFAULT.git.sign),
    Key("display.lists.list.format", member_of(ViewFormat), _LIST.format),
    Key("display.lists.list.header_fields", FIELDS, _LIST.header_fields),
    Key("display.lists.list.entry_fields", FIELDS, _LIST.entry_fields),
    Key("display.lists.list.job_fields", FIELDS, _LIST.job_fields),
    Key("display.lists.list.command_fields", FIELDS, _LIST.command_fields),
    Key("display.lists.list.summary_max_len", SIZE, _LIST.summary_max_length),
    Key("display.lists.list.summary_single_line", FLAG, _LIST.summary_single_line),
    Key("display.lists.list.labels.<field>", TEXT),
    Key("display.lists.jobs.format", member_of(ViewFormat), _JOBS.format),
    Key("display.lists.jobs.show_succeeded", FLAG, _JOBS.show_succeeded),
    Key("display.lists.jobs.fields", FIELDS, _JOBS.fields),
    Key("display.lists.jobs.labels.<field>", TEXT),
    Key("display.lists.jobs_show.format", member_of(ViewFormat), _SHOW.format),
    Key("display.lists.jobs_show.fields", FIELDS, _SHOW.fields),
    Key("display.lists.jobs_show.labels.<field>", TEXT),
)

_PIPELINE: Final = strict_choice("approve", "approve-review", "approve-review-merge")
_REVIEW_MODE: Final = strict_choice("apply_fixes", "review_only", "review_file")

_LEGACY_KEYS: Final = tuple(
    key._replace(status=Status.LEGACY)
    for key in (
        Key("review.checks", CHECK_COMMANDS),
        Key("approve.stop_condition.script", TEXT),
        Key("approve.stop_condition.retries", UNSIGNED, 3, ("max_attempts",)),
        Key("merge.squash", SWITCH, True),
        Key("merge.squash_mainline", POSITIVE),
        Key("merge.cicd_gate.script", TEXT, None, ("path", "file")),
        Key("merge.cicd_gate.auto_resolve", FLAG, False, ("auto_fix",)),
        Key("merge.cicd_gate.retries", UNSIGNED, 1, ("max_attempts",)),
        Key("merge.conflicts.auto_resolve", SWITCH, False),
        Key("build.default_pipeline", _PIPELINE, "approve"),
        Key("build.default_merge_target", BRANCH, "primary"),
        Key("build.stage_barrier", strict_choice("strict", "explicit"), "strict"),
        Key("build.failure_mode", strict_choice("block_downstream", "continue_independent"), "block_downstream"),
        Key("build.default_review_mode", _REVIEW_MODE, "apply_fixes"),
        Key("build.default_skip_checks", FLAG, False),
        Key("build.default_keep_draft_branch", FLAG, False),
        Key("build.default_profile", TEXT),
        Key("build.profiles.<name>.pipeline", _PIPELINE, None, ("default_pipeline",)),
        Key("build.profiles.<name>.merge_target", BRANCH),
        Key("build.profiles.<name>.review_mode", _REVIEW_MODE),
        Key("build.profiles.<name>.skip_checks", FLAG),
        Key("build.profiles.<name>.keep_branch", FLAG),
        Key("workflow.no_commit_default", FLAG, False),
        Key("workflow.background.enabled", FLAG, True),
        Key("workflow.background.quiet", FLAG, False),
        Key("commits.meta.enabled", FLAG, True, ("enable",)),
        Key(
            "commits.meta.style",
            choice("header", "trailers", "both", "none", also={"trailer": "trailers"}),
            "header",
        ),
        Key(
            "commits.meta.include",
            some_of("field", "session_id", "session_log", "author_note", "narrative_summary"),
            ("session_id", "session_log", "author_note", "narrative_summary"),
        ),
        Key("commits.meta.session_log_path", choice("relative", "absolute", "none"), "relative", ("session_log",)),
        Key("commits.meta.labels.session_id", TEXT, "Session ID"),
        Key("commits.meta.labels.session_log", TEXT, "Session Log"),
        Key("commits.meta.labels.author_note", TEXT, "Author note"),
        Key("commits.meta.labels.narrative_summary", TEXT, "Narrative updates"),
        Key("commits.fallback_subjects.code_change", TEXT, "VIZIER CODE CHANGE"),
        Key("commits.fallback_subjects.narrative_change", TEXT, "VIZIER NARRATIVE CHANGE"),
        Key("commits.fallback_subjects.conversation", TEXT, "VIZIER CONVERSATION", ("conversation_subject",)),
        Key("commits.implementation.subject", TEXT, "feat: apply plan {slug}"),
        Key(
            "commits.implementation.fields",
            some_of("entry", "Target branch", "Plan branch", "Summary"),
            ("Target branch", "Plan branch", "Summary"),
        ),
        Key("commits.merge.subject", TEXT, "feat: merge plan {slug}"),
        Key("commits.merge.include_operator_note", FLAG, True),
        Key("commits.merge.operator_note_label", TEXT, "Operator Note"),
        Key("commits.merge.plan_mode", choice("full", "summary", "none"), "full"),
        Key("commits.merge.plan_label", TEXT, "Implementation Plan"),
    )
)


def _runtime_keys(table: str) -> tuple[Key, ...]:
    return tuple(
        Key(f"{table}.{name}", kind, status=Status.LIVE if name in LIVE_RUNTIME_KEYS else Status.LEGACY)
        for name, kind in RUNTIME_KEYS.items()
    )


def _override_keys(table: str) -> tuple[Key, ...]:
    toggles = f"{table}.documentation"
    return (
        Key(f"{table}.agent", AGENT),
        *_runtime_keys(f"{table}.agent"),
        Key(
            f"{toggles}.enabled",
            FLAG,
            also=("enable", "use_prompt", "use_documentation_prompt"),
            status=Status.LEGACY,
        ),
        Key(f"{toggles}.include_snapshot", FLAG, also=("snapshot",)),
        Key(f"{toggles}.include_narrative_docs", FLAG, also=("include_narrative",)),
        *(
            Key(f"{table}.prompts.{kind}", PROMPT, status=Status.LIVE if kind in LIVE_PROMPTS else Status.LEGACY)
            for kind in PromptKind
        ),
    )


#: The tables that say which agent does what, weakest first, beside the root key `agent`.
OVERRIDE_TABLES: Final = ("agents.default", "agents.commands.<alias>", "agents.templates.<selector>")

KEYS: Final = (
    *_LIVE_KEYS,
    *_runtime_keys("agent"),
    *(key for table in OVERRIDE_TABLES for key in _override_keys(table)),
    *_LEGACY_KEYS,
)
