"""Finds the template file that a FLOW means (spec 04 §3)."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.errors import TemplateSourceError
from vizier_core.files import entries
from vizier_core.flow.formats import SUFFIXES, read_identity
from vizier_kernel.names import canonical_selector, command_alias
from vizier_kernel.suggest import did_you_mean

_LEGACY_DIRECTORY: Final = Path(".vizier/workflow")
_WORKFLOWS: Final = Path(".vizier/workflows")
_CURRENT_FORM: Final = "`.vizier/workflows/*.hcl`"
#: What resolving a path raises if there is nothing: also for links in a circle, and for names no file can have.
_NOT_FOUND: Final = (OSError, RuntimeError, ValueError)


class FlowSource(msgspec.Struct, frozen=True):
    """A template file, and what the operator called it."""

    #: The text recorded as the origin of the run.
    selector: str
    #: Canonical path of the file.
    path: Path
    #: Normalised alias, if the flow was named by one.
    alias: str | None = None

    @property
    def label(self) -> str:
        """What messages call the flow."""
        return self.alias or self.selector


class FlowResolver:
    """Resolves flows of one project.

    Args:
        root: the project root.
        commands: aliases of the configuration and what they stand for; the keys are normalised.
        global_directory: directory outside the project whose templates may be used; None if there is none.
        warn: receives one line for the operator.
    """

    def __init__(
        self,
        root: Path,
        commands: Mapping[str, str],
        global_directory: Path | None,
        warn: Callable[[str], None],
    ) -> None:
        self._root = root
        self._commands = commands
        self._global = global_directory
        self._warn = warn

    def resolve(self, flow: str) -> FlowSource:
        """The source of a flow: a file, an alias or `id@version`.

        Raises:
            TemplateSourceError: it means no file that may be used.
        """
        flow = flow.strip()
        if not flow:
            raise TemplateSourceError("FLOW cannot be empty; give a file, an alias or id@version")
        if is_file_source(flow):
            path = self._file(flow)
            return FlowSource(self._recorded_selector(flow, path), path)
        alias = command_alias(flow)
        if alias in self._commands:
            value = self._commands[alias]
            path_of_alias = self._selector(value)
            if path_of_alias is None:
                raise TemplateSourceError(
                    f"alias `{alias}` resolves to `{value}` but no readable template source was found"
                )
            return FlowSource(value, path_of_alias, alias)
        path_of_selector = self._selector(flow)
        if path_of_selector is None:
            raise TemplateSourceError(
                f"unable to resolve FLOW `{flow}`; expected `file:<path>`, a .hcl/.toml/.json path, "
                f"a [commands] alias or a selector `template.name@vN`{self._hint(alias)}"
            )
        return FlowSource(flow, path_of_selector)

    def _hint(self, alias: str) -> str:
        """What to do about a name that means nothing."""
        if not self._commands:
            return "; there are no aliases here, `vizier init` adds some"
        return did_you_mean(alias, self._commands) or f"; the aliases here are {', '.join(sorted(self._commands))}"

    def import_path(self, path: str, importing_file: str) -> Path:
        """The file that an import names, relative to the importing file (spec 04 §7.1).

        Both lie in the same place, the project or the global workflow directory (weak spot 8 of spec 04 §24, ruling
        R38).

        Raises:
            TemplateSourceError: it is no file, or lies outside of that place.
        """
        origin = Path(importing_file)
        target = origin.parent / path
        problem = f"unable to read template source {target}"
        try:
            found = target.resolve(strict=True)
        except _NOT_FOUND as error:
            raise TemplateSourceError(f"{problem}: {_reason(error)}") from None
        if not found.is_file():
            raise TemplateSourceError(f"{problem}: {'is a directory' if found.is_dir() else 'is not a file'}")
        if self._project_path(origin) is None and self._global is not None:
            if not found.is_relative_to(self._global.resolve()):
                raise TemplateSourceError(f"{found} is outside global workflow directory {self._global}")
        elif self._project_path(found) is None:
            raise TemplateSourceError(f"{found} is outside repository root {self._root}")
        self._refuse_legacy(found)
        return found

    def _selector(self, text: str) -> Path | None:
        text = text.strip()
        if not text:
            return None
        if is_file_source(text):
            return self._file(text)
        canonical = canonical_selector(text)
        if canonical is not None:
            raise TemplateSourceError(f"legacy selector `{text}` is unsupported; use `{canonical}`")
        identity, at, version = (part.strip() for part in text.rpartition("@"))
        return self._by_identity(text, identity, version) if at and identity and version else None

    def _file(self, source: str) -> Path:
        """The canonical path of a template file in a place where templates may be (spec 04 §3.2)."""
        name = source.removeprefix("file:").strip()
        if not name:
            raise TemplateSourceError(f"file selector is missing a path: `{source}`")
        candidate = self._root / name
        try:
            path = candidate.resolve(strict=True)
        except _NOT_FOUND as error:
            raise TemplateSourceError(f"{candidate} does not resolve to a readable file: {_reason(error)}") from None
        if not path.is_file():
            raise TemplateSourceError(f"{path} is not a file")
        self._refuse_legacy(path)
        return self._contained(path)

    def _contained(self, path: Path) -> Path:
        """The canonical path, which lies in the project or in the global workflow directory."""
        if self._project_path(path) is None and (
            self._global is None or not path.is_relative_to(self._global.resolve())
        ):
            places = f"{self._root}" + (f" and global workflow directory {self._global}" if self._global else "")
            raise TemplateSourceError(f"{path} is outside repository root {places}")
        return path

    def _project_path(self, path: Path) -> Path | None:
        """A canonical path relative to the project root; None if it lies outside."""
        roots = (self._root.resolve(), self._root)
        return next((path.relative_to(root) for root in roots if path.is_relative_to(root)), None)

    def _refuse_legacy(self, path: Path) -> None:
        """Refuses what the project may not have where it is."""
        relative = self._project_path(path)
        if relative is None:
            return
        if _LEGACY_DIRECTORY in relative.parents:
            raise TemplateSourceError(
                f"legacy workflow path `.vizier/workflow/*` is unsupported ({relative}); move it to {_CURRENT_FORM}"
            )
        if _WORKFLOWS in relative.parents and relative.suffix.lower() == ".json":
            raise TemplateSourceError(
                f"legacy JSON stage workflows are unsupported ({relative}); rewrite it as {_CURRENT_FORM}"
            )

    def _recorded_selector(self, typed: str, path: Path) -> str:
        if typed.startswith(("file:", "/")):
            return typed
        return f"file:{path.relative_to(self._root)}" if path.is_relative_to(self._root) else f"file:{path}"

    def _by_identity(self, selector: str, identity: str, version: str) -> Path | None:
        """The file whose `id` and `version` are these; of several that differ only in format the HCL one."""
        unreadable: list[str] = []
        matches: dict[str, Path] = {}
        for path in self._candidates():
            try:
                found = read_identity(path)
            except TemplateSourceError as error:
                # An unrelated broken file must not keep others from being found (WS-04-07), nor fill the screen: its
                # name and the first thing that is wrong will do.
                unreadable.append("\n".join(f"skipping {error}".splitlines()[:2]))
                continue
            if found == (identity, version):
                stem = str(path.with_suffix(""))
                if stem not in matches or path.suffix.lower() == ".hcl":
                    matches[stem] = path
        for line in unreadable:
            self._warn(line)
        if len(matches) > 1:
            listed = ", ".join(sorted(str(path) for path in matches.values()))
            raise TemplateSourceError(f"selector `{selector}` is ambiguous: {listed}")
        return next((self._contained(path.resolve()) for path in matches.values()), None)

    def _candidates(self) -> Iterator[Path]:
        for directory in (self._root / ".vizier", self._root / _WORKFLOWS):
            names = (e.name for e in entries(directory) if e.is_file() and Path(e.name).suffix.lower() in SUFFIXES)
            yield from (directory / name for name in sorted(names))


def is_file_source(text: str) -> bool:
    """Whether a FLOW is meant as a path (spec 04 §3.1)."""
    return text.startswith(("file:", ".", "/")) or "/" in text or "\\" in text or text.endswith(SUFFIXES)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
