"""`vizier __complete`: kept for old shell set-ups that call it; does nothing (spec 09 §9.3)."""

from vizier_cli.cli.app import App


def run(app: App) -> int:
    """Does nothing, well."""
    del app
    return 0
