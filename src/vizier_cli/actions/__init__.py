"""One module per command; each has `run(app, arguments) -> exit code`."""
