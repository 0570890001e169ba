# Lets an agent turn a written request into a plan, and commits the plan to a branch of its own.
#
#     vizier run draft request.md my-change draft/my-change
#     vizier run draft --set spec_text="Sort the list by date" --name my-change
#
# Nothing but the plan document changes, and that only on the draft branch. Read it there, edit it if you like, then
# `vizier run approve my-change draft/my-change`.
#
# `$${name}` is the value of a parameter. The second dollar sign keeps HCL from reading it as one of its own variables.

id = "template.stage.draft"
version = "v2"

# Every parameter and its default; `--set name=value` gives another value.
params = {
  branch = ""
  commit_message = "chore: workflow stage commit"
  slug = ""
  spec_file = ""
  spec_source = "inline"
  spec_text = ""
}

# What may be given by position, and other names for parameters: `--file` sets `spec_file`.
cli = {
  positional = ["spec_file", "slug", "branch"]
  named = {
    file = "spec_file"
    name = "slug"
  }
}

# A node that needs an artifact which does not exist yet waits, even while no job is known to make it.
policy = {
  dependencies = {
    missing_producer = "wait"
  }
}

# The types of artifacts that nodes need and produce below.
artifact_contracts = [
  { id = "prompt_text", version = "v1" },
  { id = "plan_text", version = "v1" },
  { id = "plan_branch", version = "v1" },
  { id = "plan_doc", version = "v1" }
]

# `after` says what a node waits for. `on.succeeded` says who is next, and hands the working directory on: everything
# between `worktree_prepare` and `worktree_cleanup` happens in a worktree of the draft branch, not in your checkout.
nodes = [
  {
    id = "worktree_prepare"
    name = "Draft / Prepare Worktree"
    kind = "builtin"
    uses = "cap.env.builtin.worktree.prepare"
    args = {
      branch = "$${branch}"
      slug = "$${slug}"
      purpose = "stage-draft"
    }
    on = {
      succeeded = ["resolve_prompt"]
    }
  },
  {
    id = "resolve_prompt"
    name = "Draft / Resolve Prompt"
    kind = "builtin"
    uses = "cap.env.builtin.prompt.resolve"
    args = {
      prompt_file = ".vizier/prompts/DRAFT_PROMPTS.md"
    }
    after = [{ node_id = "worktree_prepare" }]
    produces = {
      succeeded = [{ custom = { type_id = "prompt_text", key = "draft_main" } }]
    }
    on = {
      succeeded = ["invoke_agent"]
    }
  },
  {
    id = "invoke_agent"
    name = "Draft / Invoke Agent"
    kind = "agent"
    uses = "cap.agent.invoke"
    after = [{ node_id = "resolve_prompt" }]
    needs = [{ custom = { type_id = "prompt_text", key = "draft_main" } }]
    produces = {
      succeeded = [{ custom = { type_id = "plan_text", key = "draft_plan:$${slug}" } }]
    }
    on = {
      succeeded = ["persist_plan"]
    }
  },
  {
    id = "persist_plan"
    name = "Draft / Persist Plan"
    kind = "builtin"
    uses = "cap.env.builtin.plan.persist"
    args = {
      branch = "$${branch}"
      name_override = "$${slug}"
      spec_file = "$${spec_file}"
      spec_source = "$${spec_source}"
      spec_text = "$${spec_text}"
    }
    after = [{ node_id = "invoke_agent" }]
    needs = [{ custom = { type_id = "plan_text", key = "draft_plan:$${slug}" } }]
    produces = {
      succeeded = [
        { plan_branch = { slug = "$${slug}", branch = "$${branch}" } },
        { plan_doc = { slug = "$${slug}", branch = "$${branch}" } }
      ]
    }
    on = {
      succeeded = ["stage_files"]
    }
  },
  {
    # The plan document is ignored by git elsewhere; a node that produces it stages it all the same.
    id = "stage_files"
    name = "Draft / Stage Files"
    kind = "builtin"
    uses = "cap.env.builtin.git.stage"
    args = {
      files_json = "[\".\"]"
    }
    after = [{ node_id = "persist_plan" }]
    produces = {
      succeeded = [
        { plan_branch = { slug = "$${slug}", branch = "$${branch}" } },
        { plan_doc = { slug = "$${slug}", branch = "$${branch}" } }
      ]
    }
    on = {
      succeeded = ["stage_commit"]
    }
  },
  {
    id = "stage_commit"
    name = "Draft / Stage Commit"
    kind = "builtin"
    uses = "cap.env.builtin.git.commit"
    args = {
      message = "$${commit_message}"
    }
    after = [{ node_id = "stage_files" }]
    produces = {
      succeeded = [
        { plan_branch = { slug = "$${slug}", branch = "$${branch}" } },
        { plan_doc = { slug = "$${slug}", branch = "$${branch}" } }
      ]
    }
    on = {
      succeeded = ["stop_gate"]
    }
  },
  {
    # A place for a check of the plan; without a script the gate lets everything pass. The approve stage has one.
    id = "stop_gate"
    name = "Draft / Stop Gate"
    kind = "gate"
    uses = "control.gate.stop_condition"
    after = [{ node_id = "stage_commit" }]
    on = {
      succeeded = ["worktree_cleanup"]
    }
  },
  {
    # Removes the worktree. The branch and its commits stay.
    id = "worktree_cleanup"
    name = "Draft / Cleanup Worktree"
    kind = "builtin"
    uses = "cap.env.builtin.worktree.cleanup"
    after = [{ node_id = "stop_gate" }]
    on = {
      succeeded = ["terminal"]
    }
  },
  {
    id = "terminal"
    name = "Draft / Terminal"
    kind = "gate"
    uses = "control.terminal"
    after = [{ node_id = "worktree_cleanup" }]
  }
]
