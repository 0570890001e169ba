# Lets an agent write the message for your uncommitted changes to tracked files, and commits them.
#
#     vizier run commit --follow
#
# It works in your checkout, not in a worktree. The index is left alone until the message is there.

id = "template.tools.commit"
version = "v1"

policy = {
  dependencies = {
    missing_producer = "wait"
  }
}

artifact_contracts = [
  { id = "prompt_text", version = "v1" },
  { id = "commit_message", version = "v1" }
]

nodes = [
  {
    # Writes what the prompt quotes. Diffs are cut to a size that an agent can read, and what is no UTF-8 text is left
    # out.
    id = "collect_context"
    kind = "shell"
    uses = "cap.env.shell.command.run"
    args = {
      script = <<-EOT
        set -eu
        limit=30000
        context=.vizier/tmp/commit-context.txt

        text() {
          if command -v iconv >/dev/null; then
            iconv -c -f UTF-8 -t UTF-8 2>/dev/null || :
          else
            LC_ALL=C tr -d '\200-\377'
          fi
        }
        changes() { git diff --no-color --no-ext-diff --unified=3 "$@" | head -c "$limit" | text; }
        section() { printf '## %s\n' "$1" && if [ -n "$2" ]; then printf '%s\n' "$2"; else echo '<none>'; fi; }

        mkdir -p .vizier/tmp
        {
          section 'Tracked Status' "$(git -c color.status=false status --short --untracked-files=no | text)"
          echo
          section 'Staged Diff (truncated)' "$(changes --cached)"
          echo
          section 'Unstaged Diff (truncated)' "$(changes)"
        } >"$context"
      EOT
    }
    on = {
      succeeded = ["resolve_prompt"]
    }
  },
  {
    id = "resolve_prompt"
    kind = "builtin"
    uses = "cap.env.builtin.prompt.resolve"
    args = {
      prompt_file = ".vizier/prompts/COMMIT_PROMPTS.md"
    }
    after = [{ node_id = "collect_context" }]
    produces = {
      succeeded = [{ custom = { type_id = "prompt_text", key = "commit_prompt" } }]
    }
    on = {
      succeeded = ["invoke_agent"]
    }
  },
  {
    id = "invoke_agent"
    kind = "agent"
    uses = "cap.agent.invoke"
    after = [{ node_id = "resolve_prompt" }]
    needs = [{ custom = { type_id = "prompt_text", key = "commit_prompt" } }]
    produces = {
      succeeded = [{ custom = { type_id = "commit_message", key = "tracked_changes" } }]
    }
    on = {
      succeeded = ["stage_tracked"]
    }
  },
  {
    id = "stage_tracked"
    kind = "shell"
    uses = "cap.env.shell.command.run"
    args = {
      script = <<-EOT
        git reset --quiet
        git add -u
      EOT
    }
    after = [{ node_id = "invoke_agent" }]
    on = {
      succeeded = ["commit_tracked"]
    }
  },
  {
    # `read_payload` takes the message from the artifact, which the agent's node has made.
    id = "commit_tracked"
    kind = "builtin"
    uses = "cap.env.builtin.git.commit"
    args = {
      message = "read_payload(commit_message)"
    }
    after = [{ node_id = "stage_tracked" }]
    needs = [{ custom = { type_id = "commit_message", key = "tracked_changes" } }]
    on = {
      succeeded = ["terminal"]
    }
  },
  {
    id = "terminal"
    kind = "gate"
    uses = "control.terminal"
    after = [{ node_id = "commit_tracked" }]
  }
]
