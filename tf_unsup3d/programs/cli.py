"""Runs the programs: absl flags, and one clear line for what a user can mend."""

import logging
import os
import sys
from collections.abc import Callable

from absl import app, flags

from tf_unsup3d.errors import UserError

# TensorFlow reads both variables as it is imported, so this module comes first. Its own
# lines break the progress bars; what goes wrong is raised anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# By default it leaves convolutions to oneDNN only where a processor has instructions
# for neural networks. Others, too, train more than twice as fast with it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
logging.getLogger("tensorflow").setLevel(logging.WARNING)


def run(main: Callable[[list[str]], None]) -> None:
    """Runs `main` as an absl program.

    A `UserError` ends the program with the one line `error: ...` on standard error
    and exit status 1.

    Args:
      main: function of the command line left after parsing the flags.
    """

    def guarded(argv: list[str]) -> int:
        try:
            if len(argv) > 1:
                raise UserError(
                    f"unexpected argument {argv[1]!r}; options start with --"
                )
            main(argv)
        except UserError as error:
            # gin adds lines about where it called what raised the error.
            print(f"error: {str(error).splitlines()[0]}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130
        return 0

    def parse(argv: list[str]) -> list[str]:
        try:
            return flags.FLAGS(argv)
        except flags.Error as error:
            print(f"error: {' '.join(str(error).splitlines())}", file=sys.stderr)
            print(f"run {argv[0]} --help for the options", file=sys.stderr)
            sys.exit(1)

    app.run(guarded, flags_parser=parse)
