"""Runs the programs: absl flags, and one clear line for what a user can mend."""

import contextlib
import importlib.util
import logging
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator

import absl.logging
from absl import app, flags

from tf_unsup3d.errors import StoppedBySignal, UserError, refused_as_not_finite
from tf_unsup3d.quiet_import import import_tensorflow

# TensorFlow reads both variables as it is imported, so this module comes first. Its own
# lines break the progress bars; what goes wrong is raised anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# By default it leaves convolutions to oneDNN only where a processor has instructions
# for neural networks. Others, too, train more than twice as fast with it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
logging.getLogger("tensorflow").setLevel(logging.WARNING)

# The flags that functions of this module define are those of the calling programs.
flags.disclaim_key_flags()

# Flags whose empty value, as of a variable of a shell that is not set, would mean the
# current folder or all addresses of the machine.
_PLACES = frozenset({"data_dir", "host", "input", "model", "model_dir", "output"})

# As shells report the end of a program by a signal.
_SIGNAL_STATUS = 128


def run(main: Callable[[list[str]], None]) -> None:
    """Runs `main` as an absl program.

    A `UserError` ends the program with the one line `error: ...` on standard error
    and exit status 1, a signal with the number of the signal plus 128. `--help` shows
    the documentation of the module of `main` and its flags, whether it was started as a
    module or as a console script.

    Args:
      main: Function of the command line that is left after the flags were parsed.
        TensorFlow is imported before, without the lines that it prints meanwhile, so
        that modules of programs need not import it for their flags.
    """

    def guarded(argv: list[str]) -> int:
        try:
            if len(argv) > 1:
                raise UserError(
                    f"unexpected argument {argv[1]!r}; options start with --"
                )
            import_tensorflow()
            # absl's app shows what TensorFlow logs for its developers.
            absl.logging.set_verbosity(absl.logging.WARNING)
            main(argv)
        except UserError as error:
            return _fail(str(error))
        except StoppedBySignal as stop:
            return _SIGNAL_STATUS + stop.signal_number
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return _SIGNAL_STATUS + signal.SIGINT
        except Exception as error:
            line = _describe(error)
            if line is None:
                raise
            return _fail(line)
        return 0

    def parse(argv: list[str]) -> list[str]:
        if any(argument in ("--help", "-help", "-h") for argument in argv[1:]):
            print(_help(main))
            sys.exit(0)
        try:
            left = flags.FLAGS(argv)
            _check_values()
            return left
        except flags.Error as error:
            print(f"error: {' '.join(str(error).splitlines())}", file=sys.stderr)
            print(f"run {argv[0]} --help for the options", file=sys.stderr)
            sys.exit(1)

    app.run(guarded, flags_parser=parse)


def define_seed(help_text: str) -> flags.FlagHolder[int]:
    """Defines the flag `--seed`, which all generators of random numbers take."""
    return flags.DEFINE_integer(
        "seed", 0, help_text, lower_bound=0, upper_bound=2**32 - 1
    )


def make_repeatable() -> None:
    """Makes repeats of this program exact, where TensorFlow can: on the CPU.

    On a GPU some gradients have no such kernel.
    """
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP end the block as Ctrl-C does: by an exception.

    Temporary files are then removed. SIGHUP comes when a terminal is closed; `nohup`
    has it ignored, and so it stays.

    Raises:
      StoppedBySignal: There was such a signal.
    """

    def stop(number: int, _: object) -> None:
        raise StoppedBySignal(number)

    previous = {
        number: signal.signal(number, stop)
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def check_serving_packages() -> None:
    """Checks that the packages of the service are installed.

    Raises:
      UserError: One is missing.
    """
    for package in ("starlette", "uvicorn", "prometheus_client", "orjson"):
        if importlib.util.find_spec(package) is None:
            raise UserError(
                f"the service needs the package {package}; install it with: "
                "pip install 'tf-unsup3d[serve]'"
            )


def _fail(line: str) -> int:
    print(f"error: {line.splitlines()[0]}", file=sys.stderr)
    return 1


def _describe(error: Exception) -> str | None:
    """One line for what may happen anywhere, or None for a mistake in the program."""
    import tensorflow as tf

    if isinstance(error, OSError) and error.filename is not None:
        # Such as a folder that only others may look into.
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, tf.errors.ResourceExhaustedError):
        reason = error.message.splitlines()[0]
        return f"not enough memory; smaller batches or pictures take less: {reason}"
    if isinstance(error, tf.errors.InvalidArgumentError):
        refused = refused_as_not_finite(error.message)
        return refused and f"a number in the {refused} of objects is not finite"
    return None


def _check_values() -> None:
    """Refuses NaN and infinity, which no bound keeps out, and places without a name."""
    for name, value in flags.FLAGS.flag_values_dict().items():
        if isinstance(value, float) and not math.isfinite(value):
            raise flags.IllegalFlagValueError(
                f"flag --{name}={value}: must be a finite number"
            )
        if name in _PLACES and value == "":
            raise flags.IllegalFlagValueError(f"flag --{name}=: must not be empty")


def _help(main: Callable[[list[str]], None]) -> str:
    """What the program does, and its flags."""
    module = main.__module__
    # absl files the flags of the module that was started under the program's name.
    flags_module = sys.argv[0] if module == "__main__" else module
    return f"{sys.modules[module].__doc__}\n{flags.FLAGS.module_help(flags_module)}"
