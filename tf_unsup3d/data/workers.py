"""Worker processes that read, resize and encode the files of a preparation.

They are spawned, because forking a process in which TensorFlow runs threads can
deadlock. A spawned process imports the modules of the main program, so neither those
nor this module may import TensorFlow, which takes seconds and hundreds of megabytes.
"""

import concurrent.futures
import contextlib
import dataclasses
import functools
import hashlib
import io
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from PIL import Image

from tf_unsup3d.data import pictures
from tf_unsup3d.data.reading_notes import ReadingNotes, note_reading
from tf_unsup3d.errors import UserError


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one source file: a picture, or the reason why there is none.

    Attributes:
      name: Printable name of the file in its source.
      png: The prepared picture as a PNG file; empty if there is none.
      checksum: SHA-256 of its pixels in hexadecimal; empty if there is no picture.
      reason: Why the file cannot be used; empty if there is a picture.
    """

    name: str
    png: bytes = b""
    checksum: str = ""
    reason: str = ""


@contextlib.contextmanager
def prepare_chunks(
    source: Path, resolution: int, chunks: Iterable[Sequence[str]], work_dir: Path
) -> Iterator[Iterator[Iterator[Outcome]]]:
    """Prepares chunks of files in one process per processor core.

    A file on which workers were killed twice is not read a third time.

    Args:
      source: Folder or ZIP archive.
      resolution: Height and width of the prepared pictures in pixels.
      chunks: Names of files in the source. While the outcomes of one chunk are being
        consumed, the workers already prepare the next one.
      work_dir: Folder for notes on what the workers are reading, which is created if
        necessary.

    Yields:
      An iterator with one item per chunk: an iterator over the outcomes of its files,
      in order.

    Raises:
      UserError: If a worker process ends abruptly; names the file that it was reading.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    reading = ReadingNotes(work_dir)
    pool = concurrent.futures.ProcessPoolExecutor(
        max_workers=len(os.sched_getaffinity(0)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
    )
    prepare = functools.partial(
        _prepare_file, source, resolution, work_dir, reading.fatal_names()
    )
    started: set[multiprocessing.process.BaseProcess] = set()
    try:
        yield _map_one_ahead(pool, prepare, chunks, started)
    except concurrent.futures.process.BrokenProcessPool as error:
        pool.shutdown(cancel_futures=True)
        # The pool itself ends the others by SIGTERM.
        usual = (None, 0, -signal.SIGTERM)
        dead = [
            process.pid
            for process in started
            if process.exitcode not in usual and process.pid is not None
        ]
        names = reading.note_killed(dead)
        what = f" while it read {' and '.join(names)} of {source}" if names else ""
        raise UserError(
            f"a worker process ended abruptly{what}, perhaps for lack of memory; "
            "run the same command again to continue"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _map_one_ahead(
    pool: concurrent.futures.Executor,
    function: Callable[[str], Outcome],
    chunks: Iterable[Sequence[str]],
    started: set[multiprocessing.process.BaseProcess],
) -> Iterator[Iterator[Outcome]]:
    current = None
    for chunk in chunks:
        following = pool.map(function, chunk, chunksize=8)
        started.update(multiprocessing.active_children())
        if current is not None:
            yield current
        current = following
    if current is not None:
        yield current


def _start_worker() -> None:
    warnings.simplefilter("ignore")  # What matters is reported in `skipped.csv`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The main process ends its workers.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A killed main process cannot end its workers, which would wait for it for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


# Opening an archive takes much longer than reading one file of it.
_open_source = functools.cache(pictures.open_source)


def _prepare_file(
    source: Path, resolution: int, work_dir: Path, fatal: frozenset[str], name: str
) -> Outcome:
    if name in fatal:
        reason = "worker processes were killed while they read it"
        return Outcome(pictures.printable(name), reason=reason)
    note_reading(work_dir, name)
    try:
        pixels = pictures.load_picture(_open_source(source)(name), resolution)
    except pictures.BadPictureError as error:
        return Outcome(pictures.printable(name), reason=str(error))
    except MemoryError:
        return Outcome(pictures.printable(name), reason="not enough memory to read it")
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    checksum = hashlib.sha256(pixels.tobytes()).hexdigest()
    return Outcome(pictures.printable(name), png.getvalue(), checksum)
