# The flow that ./demo.sh runs: looks at a repository, writes a report about it, checks it and commits it.
#
#     survey ─┬─ kinds ───┬─ assemble ─┬─ check ─┬─ commit ─ done
#             └─ history ─┘            └─ link ──┘
#
# `$${folder}` is a parameter of the flow: change it with `vizier run report.hcl --set folder=elsewhere`.
# Nodes without a lock of their own take turns; those that may run side by side name different locks.

id      = "template.demo.report"
version = "v1"
params  = { folder = "demo-report" }

nodes = [
  {
    id   = "survey"
    name = "List the tracked files"
    kind = "shell"
    uses = "cap.env.shell.command.run"
    args = {
      script = <<-SH
        set -eu
        mkdir -p "$${folder}"
        git ls-files >"$${folder}/files.txt"
        echo "$(wc -l <"$${folder}/files.txt") tracked files"
      SH
    }
  },
  {
    id    = "kinds"
    name  = "Count the kinds of files"
    kind  = "shell"
    uses  = "cap.env.shell.command.run"
    after = [{ node_id = "survey" }]
    locks = [{ key = "demo:kinds", mode = "exclusive" }]
    args = {
      script = <<-SH
        set -eu
        {
          printf '## Files\n\n| Kind | Files |\n|---|---|\n'
          sed -e 's,.*/,,' -e 's,.*\.,.,' -e '/^\./!s,.*,(none),' "$${folder}/files.txt" |
            sort | uniq -c | sort -k1,1nr -k2 | head -n 10 | while read -r count kind; do
              echo "| $kind | $count |"
            done
        } >"$${folder}/kinds.md"
      SH
    }
  },
  {
    id    = "history"
    name  = "Summarise the history"
    kind  = "shell"
    uses  = "cap.env.shell.command.run"
    after = [{ node_id = "survey" }]
    locks = [{ key = "demo:history", mode = "exclusive" }]
    args = {
      script = <<-SH
        set -eu
        {
          printf '## History\n\nCommits: %s. The newest:\n\n' "$(git rev-list --count HEAD)"
          git log -n 5 --format='- %s'
        } >"$${folder}/history.md"
      SH
    }
  },
  {
    id    = "assemble"
    name  = "Put the report together"
    kind  = "shell"
    uses  = "cap.env.shell.command.run"
    after = [{ node_id = "kinds" }, { node_id = "history" }]
    args = {
      script = <<-SH
        set -eu
        cd "$${folder}"
        { printf '# Report\n\n'; cat kinds.md; echo; cat history.md; } >REPORT.md
        rm kinds.md history.md
        cat REPORT.md
      SH
    }
  },
  {
    id    = "check"
    name  = "Check the report"
    kind  = "shell"
    uses  = "cap.env.shell.command.run"
    after = [{ node_id = "assemble" }]
    locks = [{ key = "demo:check", mode = "exclusive" }]
    args = {
      script = <<-SH
        set -eu
        for heading in '# Report' '## Files' '## History'; do
          grep -qx "$heading" "$${folder}/REPORT.md" || { echo "no heading '$heading'" >&2; exit 1; }
        done
        echo 'the report is complete'
      SH
    }
  },
  {
    id    = "link"
    name  = "Mention the report in the README"
    kind  = "shell"
    uses  = "cap.env.shell.command.run"
    after = [{ node_id = "assemble" }]
    locks = [{ key = "demo:link", mode = "exclusive" }]
    args  = { script = "printf '\\nSee also the [report]($${folder}/REPORT.md).\\n' >>README.md" }
  },
  {
    id    = "commit"
    name  = "Commit the report"
    kind  = "shell"
    uses  = "cap.env.shell.command.run"
    after = [{ node_id = "check" }, { node_id = "link" }]
    args = {
      script = <<-SH
        set -eu
        git add --force "$${folder}" README.md
        git commit --quiet --message 'docs: report on the repository'
        git log -n 1 --format='%h %s' --shortstat
      SH
    }
  },
  {
    id    = "done"
    name  = "Done"
    kind  = "gate"
    uses  = "control.terminal"
    after = [{ node_id = "commit" }]
  },
]
