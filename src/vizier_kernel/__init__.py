"""Pure decisions: values in, values out; touches no file, process, clock, environment or network."""
