# From a written request to a merged change: draft a plan, carry it out, merge the result.
#
#     vizier run develop request.md my-change draft/my-change main
#
# Every import becomes a stage. Its nodes get the name of the import and two underscores in front of their ids, so the
# node `terminal` of the draft stage is `develop_draft__terminal` here. The parameters of all stages come together;
# `vizier run develop --help` lists them.

id = "template.develop"
version = "v1"

cli = {
  positional = ["spec_file", "slug", "branch", "target_branch"]
  named = {
    file = "spec_file"
    name = "slug"
    source = "branch"
    target = "target_branch"
  }
}

# Paths are relative to this file.
imports = [
  { name = "develop_draft", path = "workflows/draft.hcl" },
  { name = "develop_approve", path = "workflows/approve.hcl" },
  { name = "develop_merge", path = "workflows/merge.hcl" }
]

# A stage begins when the one before it has ended well.
links = [
  { from = "develop_draft", to = "develop_approve" },
  { from = "develop_approve", to = "develop_merge" }
]
