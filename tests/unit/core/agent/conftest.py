"""Agents in tests: no variable of the caller's steers them."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_steering_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("VIZIER_", "RECORDED_")) or name == "NO_COLOR":
            monkeypatch.delenv(name)
