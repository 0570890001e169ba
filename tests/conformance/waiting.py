"""Conformance tests that need something of a later issue: strict xfails, which that issue has to take out of here.

Keys name the issue; an entry is a test, with or without its parameters.
"""

RUNTIME = "Runtime"
COMMAND_LINE = "Command line"

WAITING: dict[str, tuple[str, ...]] = {
    RUNTIME: (
        "test_cli_startup.py::test_a_managed_worktree_belongs_to_the_owning_project",
        "test_cli_startup.py::test_nodes_run_under_the_configuration_of_the_run",
        "test_config_layers.py::test_jobs_use_the_config_file_of_their_caller",
        "test_config_output.py::test_message_of_a_commit_node",
        "test_config_output.py::test_message_of_an_integration",
        "test_ops_clean.py::test_a_real_run_with_a_worktree",
        "test_ops_worktrees.py::test_a_shared_worktree_is_removed_once",
        "test_ops_worktrees.py::test_retrying_a_user_leaves_the_worktree_alone",
        "test_ops_worktrees.py::test_retrying_the_creator_makes_a_new_worktree",
        "test_repo_list.py::test_job_fields_are_json_keys",
        "test_repo_list.py::test_job_of_a_plan",
        "test_runtime_worker.py::test_builtin_node_prints_one_compact_json_line",
        "test_scheduler_ephemeral.py::test_a_run_with_a_worktree_leaves_nothing",
        "test_scheduler_routes.py::test_a_need_alone_carries_no_context",
        "test_scheduler_routes.py::test_a_worktree_is_used_by_the_whole_chain",
        "test_store_documents.py::test_a_record_is_updated_in_place",
        "test_store_documents.py::test_an_empty_patch",
        "test_store_documents.py::test_build_step",
        "test_store_documents.py::test_patch_pipeline_finalized",
        "test_store_documents.py::test_patch_pipeline_prepared",
        "test_store_documents.py::test_plan_document",
        "test_store_documents.py::test_plan_record",
        "test_store_documents.py::test_refused_slugs",
        "test_store_documents.py::test_sentinel",
        "test_store_documents.py::test_sentinel_cleared",
        "test_store_documents.py::test_slugs",
        "test_store_documents.py::test_the_ids_of_document_and_record_agree",
        "test_store_documents.py::test_worktree_names_and_paths",
        "test_store_documents.py::test_worktree_patch",
        "test_store_runs.py::test_agent_payload_format",
        "test_store_runs.py::test_prompt_payload_format",
    ),
    COMMAND_LINE: (),
}
