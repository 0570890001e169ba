"""Flows from outside: the program in a throw-away repository; the driver is that of the conformance suite."""

from suite_fixtures import repo

__all__ = ["repo"]
