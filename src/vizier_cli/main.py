"""The program `vizier`. Answers what needs no imports by itself; everything else is in `cli` and `actions`."""

import os
import sys


def main() -> int:
    """Runs the command line of this process; its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from vizier_core.version import __version__  # noqa: PLC0415 - nothing else may be loaded for this

        print("vizier", __version__)
        return 0
    if os.environ.get("COMPLETE", "") not in {"", "0"} and "--" in sys.argv:
        from vizier_cli.completion.callback import answer  # noqa: PLC0415 - likewise

        return answer(sys.argv)
    import gc  # noqa: PLC0415 - likewise

    from vizier_cli.cli.dispatch import dispatch  # noqa: PLC0415 - likewise

    # Commands and forked workers end soon and make hardly any cycles: looking for some all the time costs more.
    gc.set_threshold(50_000, 20, 50)
    return dispatch(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
