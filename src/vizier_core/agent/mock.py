"""The mock agent: answers without starting anything, for tests (spec 07 §6.6)."""

from typing import Final

from vizier_core.agent.flags import environment_flag

SWITCH: Final = "VIZIER_MOCK_AGENT"
REPLY: Final = "mock agent response"
STDERR_LINES: Final = ("mock stderr",)
DURATION_MS: Final = 10
FORCED_EXIT_CODE: Final = 42
FORCED_LINES: Final = ("forced mock agent failure",)
#: For the operator, so that the switch cannot hide a real agent unnoticed (WS-07-28).
WARNING: Final = f"{SWITCH} is set: no agent is started, its reply is made up"


def mock_is_on() -> bool:
    """Whether agents are mocked in this process."""
    return environment_flag(SWITCH)


def mock_fails() -> bool:
    """Whether the mock is to fail."""
    return environment_flag("VIZIER_FORCE_AGENT_ERROR")
