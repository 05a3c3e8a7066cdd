"""Dynamic batching: requests that wait at the same time are computed together."""

import asyncio
import collections
import dataclasses
import threading
import time
from collections.abc import Mapping, Sequence

import numpy as np

from tf_unsup3d.serving.json_response import Answer
from tf_unsup3d.serving.limits import Limits
from tf_unsup3d.serving.mesh_requests import is_mesh_request
from tf_unsup3d.serving.metrics import Metrics
from tf_unsup3d.serving.request_error import bad_request, unavailable
from tf_unsup3d.serving.saved_model import Function

# How long a batch may wait for rows, as a part of the time that the one before took.
_GATHERING_PART = 0.5


@dataclasses.dataclass(eq=False)
class _Job:
    """A request that waits for the model."""

    function: Function
    inputs: Mapping[str, np.ndarray]
    rows: int
    triangle_pixels: int
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Answer]"

    def fits(self, other: "_Job") -> bool:
        """Whether both can be computed at once."""
        return (
            self.function is other.function
            and self.function.signature.batched
            and all(
                array.shape[1:] == other.inputs[name].shape[1:]
                for name, array in self.inputs.items()
            )
        )

    def finish(self, outcome: Answer | Exception) -> None:
        """Hands the outcome to the request, from any thread."""
        # The loop of a request that was given up may be closed.
        if not self.answer.done():
            self.loop.call_soon_threadsafe(self._set, outcome)

    def _set(self, outcome: Answer | Exception) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Batcher:
    """Runs functions in one thread, and all waiting rows that fit at once.

    While the thread computes a batch, the next one gathers. Clients that are answered
    together often ask again together, and full batches are faster: before the next
    batch starts, it therefore waits a moment for as many rows as were answered or
    waiting when the last one ended. A request alone is computed immediately.

    Args:
      limits: The sizes of batches and of the queue, and the time for an answer.
      metrics: Told about batches and the queue.
    """

    def __init__(self, limits: Limits, metrics: Metrics):
        self._limits = limits
        self._metrics = metrics
        self._waiting: collections.deque[_Job] = collections.deque()
        self._changed = threading.Condition()
        self._closing = False
        # Rows that were answered or waiting when the last batch ended, and its time.
        self._rows_in_turn = 0
        self._last_seconds = 0.0
        # When the batch began that is running.
        self._batch_start: float | None = None
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    async def close(self) -> None:
        """Finishes all requests that wait, and ends the thread.

        It returns before the thread has ended if that takes longer than a request may.
        The thread does not keep the process alive.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join, self._limits.request_seconds)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def stuck(self) -> bool:
        """Whether one batch has been running for longer than a request may take."""
        start = self._batch_start
        if start is None:
            return False
        return time.monotonic() - start > self._limits.request_seconds

    async def predict(
        self, function: Function, inputs: Mapping[str, np.ndarray]
    ) -> Answer:
        """Runs a function, together with other requests for it.

        Args:
          function: The function.
          inputs: The inputs by name, of the types and shapes of its signature.

        Returns:
          The outputs.

        Raises:
          RequestError: The batch, its pictures or its meshes are too large, the inputs
            have different numbers of rows, the queue is full, or TensorFlow cannot
            compute it.
        """
        loop = asyncio.get_running_loop()
        rows = self._count_rows(inputs) if function.signature.batched else 1
        self._limits.check_pictures(inputs)
        triangle_pixels = 0
        if is_mesh_request(inputs):
            triangle_pixels = await asyncio.to_thread(self._limits.check_meshes, inputs)
        answer = loop.create_future()
        job = _Job(function, inputs, rows, triangle_pixels, loop, answer)
        with self._changed:
            waiting = self._waiting_rows()
            if self._closing:
                raise unavailable("the service is shutting down")
            if waiting + rows > self._limits.queue_size:
                raise unavailable(f"the queue is full: {waiting} rows wait")
            self._waiting.append(job)
            self._metrics.queue_rows.inc(rows)
            self._changed.notify()
        try:
            return await job.answer
        finally:
            # A request that ran out of time need not be computed any more.
            with self._changed:
                if job in self._waiting:
                    self._waiting.remove(job)
                    self._metrics.queue_rows.dec(rows)

    def _count_rows(self, inputs: Mapping[str, np.ndarray]) -> int:
        counts = {name: len(array) for name, array in inputs.items()}
        if len(set(counts.values())) > 1:
            raise bad_request(f"the inputs have different numbers of rows: {counts}")
        rows = next(iter(counts.values()))
        if rows == 0:
            raise bad_request("the inputs have no rows")
        if rows > self._limits.batch_size:
            raise bad_request(
                f"the inputs have {rows} rows; at most {self._limits.batch_size} are "
                "computed at once"
            )
        return rows

    def _work(self) -> None:
        while jobs := self._next_batch():
            self._finish(jobs)
            with self._changed:
                self._rows_in_turn += self._waiting_rows()

    def _next_batch(self) -> list[_Job]:
        """Waits for jobs, and takes the oldest with those that fit beside it.

        Returns:
          The jobs; none when there will be no more.
        """
        with self._changed:
            gathered = False
            # What waits may be given up while more is gathered.
            while not (self._waiting and gathered):
                if self._waiting:
                    self._gather()
                    gathered = True
                elif self._closing:
                    return []
                else:
                    self._changed.wait()
            oldest = self._waiting.popleft()
            jobs, rows, pixels = [oldest], oldest.rows, oldest.triangle_pixels
            for job in list(self._waiting):
                if (
                    rows + job.rows <= self._limits.batch_size
                    and pixels + job.triangle_pixels <= self._limits.triangle_pixels
                    and job.fits(oldest)
                ):
                    self._waiting.remove(job)
                    jobs.append(job)
                    rows += job.rows
                    pixels += job.triangle_pixels
            self._metrics.queue_rows.dec(rows)
            self._rows_in_turn = rows
            return jobs

    def _gather(self) -> None:
        """Waits for rows, but not long; see the class."""
        wanted = min(self._rows_in_turn, self._limits.batch_size)
        self._changed.wait_for(
            lambda: self._waiting_rows() >= wanted or self._closing,
            _GATHERING_PART * self._last_seconds,
        )

    def _waiting_rows(self) -> int:
        return sum(job.rows for job in self._waiting)

    def _finish(self, jobs: Sequence[_Job]) -> None:
        """Computes jobs at once; alone if that fails, to find whose fault it is."""
        try:
            answers = self._compute(jobs)
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    self._finish([job])
            else:
                jobs[0].finish(error)
            return
        for job, answer in zip(jobs, answers, strict=True):
            job.finish(answer)

    def _compute(self, jobs: Sequence[_Job]) -> list[Answer]:
        first = jobs[0]
        rows = sum(job.rows for job in jobs)
        inputs = {
            name: np.concatenate([job.inputs[name] for job in jobs])
            if len(jobs) > 1
            else first.inputs[name]
            for name in first.inputs
        }
        batched = first.function.signature.batched
        # The shapes of meshes are many anyway, and each row takes memory to draw.
        if batched and not is_mesh_request(inputs):
            sizes = self._limits.padded_sizes
            size = next(size for size in sizes if size >= rows)
            inputs = {name: _pad(array, size) for name, array in inputs.items()}
        start = self._batch_start = time.monotonic()
        try:
            outputs = first.function.run(inputs)
        finally:
            self._batch_start = None
        self._last_seconds = time.monotonic() - start
        self._metrics.batch_seconds.observe(self._last_seconds)
        self._metrics.batch_rows.observe(rows)
        if not batched:
            return [Answer(outputs)]
        answers, start_row = [], 0
        for job in jobs:
            stop_row = start_row + job.rows
            answers.append(Answer(outputs, slice(start_row, stop_row)))
            start_row = stop_row
        return answers


def _pad(array: np.ndarray, size: int) -> np.ndarray:
    """Repeats the last row, which is sure to be one that the model takes."""
    missing = size - len(array)
    if missing == 0:
        return array
    return np.concatenate([array, np.repeat(array[-1:], missing, axis=0)])
