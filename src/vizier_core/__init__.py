"""Every side effect: jobs, git, agents, configuration; usable as a library without the command line."""
