"""Conformance tests that need something of a later issue: strict xfails, which that issue has to take out of here.

Keys name the issue; an entry is a test, with or without its parameters.
"""

OPERATOR = "Operator"
TEMPLATES = "Templates"
RUNTIME = "Runtime"
COMMAND_LINE = "Command line"

WAITING: dict[str, tuple[str, ...]] = {
    OPERATOR: (
        "test_scheduler_liveness.py::test_a_rewound_job_forgets_its_dead_worker",
        "test_scheduler_liveness.py::test_views_do_not_look_for_dead_workers[jobs schedule]",
        "test_scheduler_routes.py::test_operator_decisions_apply_no_routes",
        "test_scheduler_routes.py::test_operator_decisions_reach_the_dependents[reject]",
        "test_scheduler_ticks.py::test_retry_ticks_everything",
        "test_scheduler_ticks.py::test_views_do_not_tick[jobs gc]",
        "test_scheduler_ticks.py::test_views_do_not_tick[jobs schedule]",
        "test_store_runs.py::test_a_retry_replaces_markers",
        "test_store_runs.py::test_a_second_attempt_has_its_own_outcome",
        "test_store_runs.py::test_an_ephemeral_manifest",
        "test_store_runs.py::test_outcome_of_an_operator_decision[reject-blocked_by_approval-10]",
        "test_templates_enqueue.py::test_ephemeral_run",
        "test_templates_enqueue.py::test_ephemeral_run_in_a_bare_repository",
    ),
    TEMPLATES: (
        "test_hcl_templates.py::test_the_shipped_commit_template_prints_line_breaks",
        "test_scheduler_enqueue.py::test_repeated_runs_are_chained",
    ),
    RUNTIME: (
        "test_runtime_worker.py::test_builtin_node_prints_one_compact_json_line",
        "test_scheduler_routes.py::test_a_need_alone_carries_no_context",
        "test_scheduler_routes.py::test_a_worktree_is_used_by_the_whole_chain",
        "test_store_runs.py::test_agent_payload_format",
        "test_store_runs.py::test_prompt_payload_format",
    ),
    COMMAND_LINE: (
        "test_runtime_worker.py::test_hidden_command_is_in_no_help",
        "test_scheduler_ticks.py::test_views_do_not_tick[list]",
    ),
}
