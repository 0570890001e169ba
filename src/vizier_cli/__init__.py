"""The command line: parses arguments, calls one function of the core per command, renders the result."""
