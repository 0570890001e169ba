"""Conformance tests that need something of a later issue: strict xfails, which that issue has to take out of here.

Keys name the issue; an entry is a test, with or without its parameters.
"""

TEMPLATES = "Templates"
RUNTIME = "Runtime"
COMMAND_LINE = "Command line"

WAITING: dict[str, tuple[str, ...]] = {
    TEMPLATES: (
        "test_config_layers.py::test_broken_config_stops_every_repository_command[init --check]",
        "test_config_layers.py::test_missing_config_file_is_an_error_of_every_command[init]",
        "test_hcl_templates.py::test_the_shipped_commit_template_prints_line_breaks",
        "test_store_gitignore.py::test_a_file_with_the_block_is_left_alone",
        "test_store_gitignore.py::test_a_missing_file_gets_the_block",
        "test_store_gitignore.py::test_a_repeated_rule_is_a_reason_to_rewrite",
        "test_store_gitignore.py::test_a_scattered_block_is_gathered",
        "test_store_gitignore.py::test_crlf_is_kept",
        "test_store_gitignore.py::test_equivalent_patterns_are_replaced",
        "test_store_gitignore.py::test_managed_exceptions_follow_the_block",
        "test_store_gitignore.py::test_other_lines_keep_their_order",
        "test_store_gitignore.py::test_other_patterns_stay",
        "test_store_gitignore.py::test_runtime_files_are_ignored_by_git_afterwards",
        "test_store_gitignore.py::test_twice_is_once",
    ),
    RUNTIME: (
        "test_config_layers.py::test_jobs_use_the_config_file_of_their_caller",
        "test_store_runs.py::test_agent_payload_format",
        "test_store_runs.py::test_prompt_payload_format",
    ),
    COMMAND_LINE: (
        "test_config_layers.py::test_broken_config_stops_every_repository_command[release --dry-run]",
        "test_config_layers.py::test_broken_config_stops_every_repository_command[run x --help]",
        "test_config_layers.py::test_flow_help_uses_the_config",
        "test_config_layers.py::test_help_version_and_completions_read_no_config[completions bash]",
        "test_config_values.py::test_release_script",
        "test_repo_list.py::test_cd_checks_the_name_first",
        "test_repo_list.py::test_cd_is_deprecated",
        "test_repo_list.py::test_slugs",
        "test_runtime_worker.py::test_hidden_command_is_in_no_help",
    ),
}
