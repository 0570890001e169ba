"""Pure decisions: values in, values out; no file, process, clock, environment or network (docs/dev/architecture/kernel.md)."""
