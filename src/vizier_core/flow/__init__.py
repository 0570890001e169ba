"""From what the operator calls a flow to a workflow that is ready to run (spec 04 §§1, 3, 11)."""
