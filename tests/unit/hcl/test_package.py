"""What the package costs and touches when it is imported."""

import subprocess
import sys
from pathlib import Path

import vizier_hcl


def test_importing_the_language_loads_nothing_heavy() -> None:
    """Every command that reads a template pays for it (house rule: measured in milliseconds)."""
    packages = str(Path(vizier_hcl.__file__).parents[1])
    script = (
        f"import sys; sys.path.insert(0, {packages!r}); before = set(sys.modules); "
        "import vizier_hcl; print(*(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "vizier_hcl.evaluate" in loaded
    assert loaded.isdisjoint({"asyncio", "dataclasses", "decimal", "inspect", "json", "logging", "msgspec", "tempfile"})
