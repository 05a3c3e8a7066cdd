"""A renderer in a process of its own, which waits while others are measured.

Processes keep apart what does not go together in one, count memory for each renderer,
and can have their own number of threads.
"""

import functools
import os
import pickle
import select
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.renderers import Options, create
from benchmarks.renderers.base import DifferentiableRenderer, NotAvailable
from benchmarks.workload import Workload

# What the libraries read at their start.
_THREAD_VARIABLES = (
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "LP_NUM_THREADS",
)


_WAKING_SECONDS = 0.1


class WorkerError(RuntimeError):
    """The renderer failed, or took too long."""


class _Measured:
    """The renderer in its process."""

    def __init__(self, name: str, options: Options):
        self._renderer = create(name, options)
        self.title = self._renderer.title
        self.differentiable = isinstance(self._renderer, DifferentiableRenderer)

    def describe(self) -> dict[str, Any]:
        return {"title": self.title, "differentiable": self.differentiable}

    def load(self, workload: Workload, weights: np.ndarray) -> None:
        """Takes a workload, and forgets the one before."""
        # Both are still in use while they are replaced.
        self._workload = self._weights = None
        self._workload = self._renderer.load(workload)
        self._weights = self._renderer.weigh(weights)

    def begin_memory(self) -> None:
        """Starts to count memory.

        It is a call of its own, because what `load` was given is in memory until then.
        """
        self._before = _resident_bytes("VmRSS")
        # The high-water mark starts anew.
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")

    def time(self, gradient: bool) -> float:
        """Seconds of one call.

        While others were measured this process slept, and it takes threads and
        processor tens of milliseconds to be as fast again as in a program that draws
        all the time. So calls are made until that is over; the last one counts.
        """
        start = time.perf_counter()
        seconds = self._call(gradient)
        while seconds < _WAKING_SECONDS:
            awake = time.perf_counter() - start > _WAKING_SECONDS
            seconds = self._call(gradient)
            if awake:
                break
        return seconds

    def _call(self, gradient: bool) -> float:
        start = time.perf_counter()
        if gradient:
            self._renderer.differentiate(self._workload, self._weights)
        else:
            self._renderer.draw(self._workload)
        return time.perf_counter() - start

    def picture(self) -> np.ndarray:
        """[batch, height, width, 3]."""
        return self._renderer.to_numpy(self._renderer.draw(self._workload))

    def memory(self) -> dict[str, int]:
        """Bytes: the most since `begin_memory`, and how much more that is than then."""
        peak = _resident_bytes("VmHWM")
        return {"peak": peak, "growth": peak - self._before}


def _resident_bytes(field: str) -> int:
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return 1024 * int(line.split()[1])
    raise KeyError(field)


class Worker:
    """The other end of the process; its methods are those of `_Measured`."""

    def __init__(self, name: str, options: Options, threads: int | None = None):
        """Starts the process.

        Args:
          name: of the renderer.
          options: see `renderers.create`.
          threads: as many as there are processor cores by default.

        Raises:
          NotAvailable: the renderer cannot run here.
        """
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        if threads is not None:
            environment |= dict.fromkeys(_THREAD_VARIABLES, str(threads))
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        try:
            self._call("__init__", name, options)
        except NotAvailable:
            self.close()
            raise

    def _call(self, method: str, *arguments: Any, timeout: float | None = None) -> Any:
        pickle.dump((method, arguments), self._process.stdin)
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            self._process.kill()
            raise WorkerError(f"took more than {timeout:g} s")
        try:
            result = pickle.load(self._process.stdout)
        except EOFError:
            status = self._process.wait()
            raise WorkerError(f"ended with status {status}") from None
        if isinstance(result, Exception):
            raise result
        return result

    def __getattr__(self, method: str) -> Callable:
        """A method of `_Measured`, with the seconds to wait for it as `timeout`.

        It raises `WorkerError`, after which the worker can only be closed.
        """
        if method.startswith("_"):
            raise AttributeError(method)
        return functools.partial(self._call, method)

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def serve() -> None:
    """Answers on standard output what comes from standard input, until it ends."""
    # What libraries print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Where memory runs out, this process shall be the one to end.
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    measured = _Measured.__new__(_Measured)
    while True:
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            result = getattr(measured, method)(*arguments)
        except NotAvailable as error:
            result = error
        except Exception as error:
            result = WorkerError(f"{type(error).__name__}: {error}".splitlines()[0])
        pickle.dump(result, answers)
        answers.flush()
