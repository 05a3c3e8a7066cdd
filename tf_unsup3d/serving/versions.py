"""The versions of a model: the newest one in its folder is served.

A model's folder holds a folder for each version, whose name is a positive integer. A
new one is loaded once it is complete, takes over, and the one before it is given up
when its requests are finished, as TensorFlow Serving does.
"""

import asyncio
import contextlib
import dataclasses
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

from tf_unsup3d.errors import UserError
from tf_unsup3d.serving.metrics import Metrics
from tf_unsup3d.serving.request_error import not_found, one_line, unavailable
from tf_unsup3d.serving.saved_model import SavedModel
from tf_unsup3d.trained.saved_model_folder import find_versions

_POLL_SECONDS = 1.0

_LOGGER = logging.getLogger(__name__)

# The files of a version: path, size and time of change of each.
_Snapshot = tuple[tuple[str, int, int], ...]


@dataclasses.dataclass(eq=False)
class Version:
    """A version of the model.

    Attributes:
      number: Its number, the name of its folder.
      state: START, LOADING, AVAILABLE, UNLOADING or END, as in TensorFlow Serving's
        protocol.
      error: Why it could not be loaded; empty otherwise.
      model: The model while it can be used.
      users: Number of requests that use it.
    """

    number: int
    state: str = "START"
    error: str = ""
    model: SavedModel | None = None
    users: int = 0

    def status(self) -> dict[str, Any]:
        """The version's status in TensorFlow Serving's protocol."""
        return {
            "version": str(self.number),
            "state": self.state,
            "status": {
                "error_code": "UNKNOWN" if self.error else "OK",
                "error_message": self.error,
            },
        }

    def release(self) -> None:
        """Gives the model up if it has been replaced and nobody uses it any more."""
        if self.state == "UNLOADING" and self.users == 0:
            self.state, self.model = "END", None


class Versions:
    """Keeps the newest version of a model loaded.

    Only the event loop changes what is here; loading itself runs in a thread.

    Args:
      folder: The folder of the model.
      batch_sizes: Numbers of rows that each new version is tried with before it serves.
      metrics: Told about the version that is served.
    """

    def __init__(
        self, folder: pathlib.Path, batch_sizes: tuple[int, ...], metrics: Metrics
    ):
        self._folder = folder
        self._batch_sizes = batch_sizes
        self._metrics = metrics
        self._versions: dict[int, Version] = {}
        self._current: Version | None = None
        # What the versions looked like when they failed, and when they were last seen.
        self._broken: dict[int, _Snapshot] = {}
        self._seen: dict[int, _Snapshot] = {}
        self._stopping = False

    @property
    def current(self) -> Version | None:
        """The version that is served, if there is one."""
        return self._current

    @contextlib.contextmanager
    def using(self, number: int | None = None) -> Iterator[SavedModel]:
        """Lends the model to a request.

        Args:
          number: Number of the version; by default the one that is served.

        Yields:
          The model, which is kept while the block runs.

        Raises:
          RequestError: The version is not served.
        """
        version = self._current
        if number is not None and (version is None or number != version.number):
            raise not_found(f"version {number} of the model is not served")
        if version is None or version.model is None:
            raise unavailable("no version of the model is loaded yet")
        version.users += 1
        try:
            yield version.model
        finally:
            version.users -= 1
            version.release()

    def statuses(self, number: int | None = None) -> list[dict[str, Any]]:
        """The status of all versions, or of one, newest first.

        Raises:
          RequestError: There is no such version.
        """
        numbers = sorted(self._versions, reverse=True) if number is None else [number]
        if not all(number in self._versions for number in numbers):
            raise not_found(f"there is no version {number} of the model")
        return [self._versions[number].status() for number in numbers]

    async def load_first(self) -> None:
        """Loads the newest version that can be loaded.

        Raises:
          UserError: None can be loaded.
        """
        for number in reversed(find_versions(self._folder)):
            if await self._replace(number):
                return
        errors = [version.error for version in self._versions.values()]
        raise UserError(errors[0] if errors else f"no versions in {self._folder}")

    async def watch(self, poll_seconds: float = _POLL_SECONDS) -> None:
        """Looks for newer versions until it is cancelled.

        A version is complete when its files have not changed between two looks. One
        that could not be loaded is tried again when its files change. If the version
        that is served disappears, the newest of those that are left takes over.

        Args:
          poll_seconds: Seconds between two looks.
        """
        while True:
            await asyncio.sleep(poll_seconds)
            try:
                await self.look()
            except Exception as error:
                # Whatever it is, the version that is served goes on serving.
                _LOGGER.error("cannot look for versions: %r", error)

    async def look(self) -> None:
        """Looks once for a newer version; see `watch`."""
        seen = await asyncio.to_thread(_snapshots, self._folder)
        for number in sorted(seen, reverse=True):
            if self._current and number == self._current.number:
                break
            if self._broken.get(number) == seen[number]:
                continue
            # What is still being written may turn out to be the newest.
            if self._seen.get(number) != seen[number] or await self._replace(number):
                break
        self._seen = seen

    def stop(self) -> None:
        """Makes loading end early, for the service ends."""
        self._stopping = True

    async def _replace(self, number: int) -> bool:
        """Loads a version, and serves it if that succeeds."""
        folder = self._folder / str(number)
        version = self._versions[number] = Version(number, "LOADING")
        before = await asyncio.to_thread(_snapshot, folder)
        try:
            version.model = await asyncio.to_thread(self._load, folder)
        except Exception as error:
            # Whatever is wrong with it, the others are served.
            known = isinstance(error, UserError)
            version.state = "END"
            version.error = one_line(str(error) if known else repr(error))
            self._broken[number] = before
            self._metrics.load_failures.inc()
            _LOGGER.error("version %d is not served: %s", number, version.error)
            return False
        self._broken.pop(number, None)
        version.state = "AVAILABLE"
        previous, self._current = self._current, version
        self._metrics.model_version.set(number)
        _LOGGER.info("version %d is served", number)
        if previous:
            previous.state = "UNLOADING"
            previous.release()
        return True

    def _load(self, folder: pathlib.Path) -> SavedModel:
        model = SavedModel(folder)
        model.warm_up(self._batch_sizes, lambda: self._stopping)
        return model


def _snapshots(folder: pathlib.Path) -> dict[int, _Snapshot]:
    """What the files of each version look like."""
    numbers = find_versions(folder)
    return {number: _snapshot(folder / str(number)) for number in numbers}


def _snapshot(folder: pathlib.Path) -> _Snapshot:
    """What the files of a folder look like; nothing if they vanish meanwhile."""
    try:
        files = [path for path in folder.rglob("*") if path.is_file()]
        stats = [(str(path), path.stat()) for path in sorted(files)]
    except OSError:
        return ()
    return tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in stats)
