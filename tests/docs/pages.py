"""Pages whose command blocks are pasted into a shell, one after the other.

A block ```` ```sh ```` is run. Its commands must succeed, unless the last line says ```# exits N```. A block
```` ```text ```` behind it lists lines that the output must have in this order; ``…`` stands for anything in between.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXITS = re.compile(r"# exits (\d+)$")
#: Ends the output of a block, followed by the exit code and by the number of commands that failed.
_END = "=== block ended with "


class Block(NamedTuple):
    """Commands, and what they are said to print."""

    commands: str
    output: tuple[str, ...]

    @property
    def code(self) -> int:
        """What the last command is said to exit with."""
        found = _EXITS.search(self.commands.strip())
        return int(found[1]) if found else 0


def blocks(text: str) -> Iterator[Block]:
    """The command blocks of a page."""
    found = _BLOCK.findall(text)
    for (language, body), (next_language, next_body) in zip(found, [*found[1:], ("", "")], strict=True):
        if language == "sh":
            yield Block(body, tuple(next_body.splitlines()) if next_language == "text" else ())


class Shell:
    """A shell that stays open from block to block.

    Args:
        cwd: where it starts.
        env: all of its environment.
    """

    def __init__(self, cwd: Path, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-T"],
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def paste(self, block: Block) -> None:
        """Runs a block and checks what the page says of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        counting = "failures=0; trap 'failures=$((failures + 1))' ERR"
        # Programs must not read the rest of what is typed.
        body = f"{{\n{block.commands}\n}} </dev/null"
        self._process.stdin.write(f"{counting}\n{body}\nprintf '\\n{_END}%d %d\\n' $? \"$failures\"\n")
        self._process.stdin.flush()
        printed = []
        for line in self._process.stdout:
            if line.startswith(_END):
                code, failures = map(int, line.removeprefix(_END).split())
                break
            printed.append(line)
        else:
            raise AssertionError(f"the shell has ended:\n{block.commands}\n{''.join(printed)}")
        output = "".join(printed)
        assert code == block.code, f"exits {code}:\n{block.commands}\n{output}"
        assert failures == bool(block.code), f"a command failed:\n{block.commands}\n{output}"
        position = 0
        for line in block.output:
            found = re.compile(".*?".join(map(re.escape, line.split("…")))).search(output, position)
            assert found, f"the output of\n{block.commands}\nlacks, or has too early: {line}\n{output}"
            position = found.end()

    def close(self) -> None:
        """Ends the shell."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        if self._process.stdout is not None:
            self._process.stdout.close()
