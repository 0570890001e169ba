# Merges a draft branch that the approve stage has finished, then runs the project's checks on the result.
#
#     vizier run merge my-change draft/my-change main
#     vizier run merge my-change draft/my-change main --set cicd_script=./ci.sh
#
# The nodes form a loop for conflicts, so none of them has `after`: order follows from `on.succeeded` alone. The conflict
# gate comes first and passes, as nothing is in conflict yet. If the merge then meets conflicts it ends blocked and leads
# back to the gate, where an agent resolves them; a merge that went well goes on to the checks.

id = "template.stage.merge"
version = "v2"

# Without `cicd_script` nothing is checked. `conflict_auto_resolve = "false"` leaves conflicts to you: resolve and stage
# them, then `vizier jobs retry <the conflict gate's job>`.
params = {
  branch = ""
  cicd_auto_resolve = "false"
  cicd_auto_resolve_script = ""
  cicd_script = ""
  conflict_auto_resolve = "true"
  delete_branch = "true"
  merge_message = ""
  slug = ""
  squash = "true"
  target_branch = ""
}

cli = {
  positional = ["slug", "branch", "target_branch"]
  named = {
    name = "slug"
    source = "branch"
    target = "target_branch"
  }
}

policy = {
  dependencies = {
    missing_producer = "wait"
  }
}

artifact_contracts = [
  { id = "stage_token", version = "v1" }
]

nodes = [
  {
    id = "merge_integrate"
    name = "Merge / Integrate Plan Branch"
    kind = "builtin"
    uses = "cap.env.builtin.git.integrate_plan_branch"
    args = {
      branch = "$${branch}"
      delete_branch = "$${delete_branch}"
      message = "$${merge_message}"
      slug = "$${slug}"
      squash = "$${squash}"
      target_branch = "$${target_branch}"
    }
    needs = [{ custom = { type_id = "stage_token", key = "approve:$${slug}" } }]
    on = {
      succeeded = ["merge_gate_cicd"]
      blocked = ["merge_conflict_resolution"]
    }
  },
  {
    id = "merge_conflict_resolution"
    name = "Merge / Conflict Resolution"
    kind = "gate"
    uses = "control.gate.conflict_resolution"
    args = {
      auto_resolve = "$${conflict_auto_resolve}"
      slug = "$${slug}"
      prompt_file = ".vizier/prompts/MERGE_PROMPTS.md"
    }
    on = {
      succeeded = ["merge_integrate"]
    }
  },
  {
    id = "merge_gate_cicd"
    name = "Merge / CICD Gate"
    kind = "gate"
    uses = "control.gate.cicd"
    args = {
      auto_resolve = "$${cicd_auto_resolve}"
      auto_resolve_script = "$${cicd_auto_resolve_script}"
    }
    gates = [
      {
        kind = "cicd"
        script = "$${cicd_script}"
        auto_resolve = false
        policy = "retry"
      }
    ]
    on = {
      succeeded = ["terminal"]
    }
  },
  {
    id = "terminal"
    name = "Merge / Terminal"
    kind = "gate"
    uses = "control.terminal"
  }
]
