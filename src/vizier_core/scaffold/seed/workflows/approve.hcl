# Lets an agent carry out the plan of a draft branch, and commits the result to that branch.
#
#     vizier run approve my-change draft/my-change
#     vizier run approve my-change draft/my-change --set stop_condition_script="make test"
#
# The first node needs the plan document and its branch, which the draft stage makes. `--require-approval` holds the run
# until `vizier jobs approve <job>`.

id = "template.stage.approve"
version = "v2"

params = {
  branch = ""
  commit_message = "chore: workflow stage commit"
  slug = ""
  stop_condition_retries = "3"
  stop_condition_script = ""
}

cli = {
  positional = ["slug", "branch"]
  named = {
    name = "slug"
  }
}

policy = {
  dependencies = {
    missing_producer = "wait"
  }
}

artifact_contracts = [
  { id = "prompt_text", version = "v1" },
  { id = "plan_branch", version = "v1" },
  { id = "plan_doc", version = "v1" },
  { id = "stage_token", version = "v1" }
]

nodes = [
  {
    id = "worktree_prepare"
    name = "Approve / Prepare Worktree"
    kind = "builtin"
    uses = "cap.env.builtin.worktree.prepare"
    args = {
      branch = "$${branch}"
      slug = "$${slug}"
      purpose = "stage-approve"
    }
    needs = [
      { plan_branch = { slug = "$${slug}", branch = "$${branch}" } },
      { plan_doc = { slug = "$${slug}", branch = "$${branch}" } }
    ]
    on = {
      succeeded = ["resolve_prompt"]
    }
  },
  {
    id = "resolve_prompt"
    name = "Approve / Resolve Prompt"
    kind = "builtin"
    uses = "cap.env.builtin.prompt.resolve"
    args = {
      prompt_file = ".vizier/prompts/APPROVE_PROMPTS.md"
    }
    after = [{ node_id = "worktree_prepare" }]
    produces = {
      succeeded = [{ custom = { type_id = "prompt_text", key = "approve_main" } }]
    }
    on = {
      succeeded = ["invoke_agent"]
    }
  },
  {
    id = "invoke_agent"
    name = "Approve / Invoke Agent"
    kind = "agent"
    uses = "cap.agent.invoke"
    after = [{ node_id = "resolve_prompt" }]
    needs = [{ custom = { type_id = "prompt_text", key = "approve_main" } }]
    on = {
      succeeded = ["stage_files"]
    }
  },
  {
    id = "stage_files"
    name = "Approve / Stage Files"
    kind = "builtin"
    uses = "cap.env.builtin.git.stage"
    args = {
      files_json = "[\".\"]"
    }
    after = [{ node_id = "invoke_agent" }]
    on = {
      succeeded = ["stage_commit"]
    }
  },
  {
    id = "stage_commit"
    name = "Approve / Stage Commit"
    kind = "builtin"
    uses = "cap.env.builtin.git.commit"
    args = {
      message = "$${commit_message}"
    }
    after = [{ node_id = "stage_files" }]
    on = {
      succeeded = ["stop_gate"]
    }
  },
  {
    # Runs the script, if there is one. While it fails, the commit node and this gate are repeated, up to
    # `stop_condition_retries` + 1 times; then the gate blocks.
    id = "stop_gate"
    name = "Approve / Stop Gate"
    kind = "gate"
    uses = "control.gate.stop_condition"
    after = [{ node_id = "stage_commit" }]
    gates = [
      {
        kind = "script"
        script = "$${stop_condition_script}"
        policy = "retry"
      }
    ]
    retry = {
      mode = "until_gate"
      budget = "$${stop_condition_retries}"
    }
    on = {
      succeeded = ["worktree_cleanup"]
      failed = ["stage_commit"]
    }
  },
  {
    id = "worktree_cleanup"
    name = "Approve / Cleanup Worktree"
    kind = "builtin"
    uses = "cap.env.builtin.worktree.cleanup"
    after = [{ node_id = "stop_gate" }]
    on = {
      succeeded = ["terminal"]
    }
  },
  {
    # The token tells the merge stage, in this run or in another, that the change is ready.
    id = "terminal"
    name = "Approve / Terminal"
    kind = "gate"
    uses = "control.terminal"
    after = [{ node_id = "worktree_cleanup" }]
    produces = {
      succeeded = [{ custom = { type_id = "stage_token", key = "approve:$${slug}" } }]
    }
  }
]
