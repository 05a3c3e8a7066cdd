"""Worker processes that read, resize and encode the files of a preparation.

They are spawned, because forking a process in which TensorFlow runs threads can
deadlock. A spawned process imports the modules of the main program, so neither those
nor this module may import TensorFlow, which takes seconds and hundreds of megabytes.
Only the workers that search for faces import it, when they need it first.
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
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tf_unsup3d.data import pictures
from tf_unsup3d.data.face_detection import FaceDetector
from tf_unsup3d.data.faces_table import face_row
from tf_unsup3d.data.portraits import cut_out_portraits
from tf_unsup3d.data.reading_notes import ReadingNotes, note_reading
from tf_unsup3d.errors import UserError
from tf_unsup3d.gfile_path import AnyPath
from tf_unsup3d.quiet_import import import_tensorflow


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a file or of a face in it: a picture, or why there is none.

    Attributes:
      name: Printable name of the file in its source.
      png: The prepared picture as a PNG file; empty if there is none.
      checksum: SHA-256 of its pixels in hexadecimal; empty if there is no picture.
      reason: Why there is no picture; empty if there is one.
      face: Where the face in the picture was in the file, as the cells of
        `faces_table`; empty without a picture or without a search for faces.
    """

    name: str
    png: bytes = b""
    checksum: str = ""
    reason: str = ""
    face: tuple[str, ...] = ()


@contextlib.contextmanager
def prepare_chunks(
    source: AnyPath,
    resolution: int,
    align: str,
    chunks: Iterable[Sequence[str]],
    work_dir: Path,
) -> Iterator[Iterator[Iterator[list[Outcome]]]]:
    """Prepares chunks of files in one process per processor core.

    A file on which workers were killed twice is not read a third time.

    Args:
      source: Folder or ZIP archive.
      resolution: Height and width of the prepared pictures in pixels.
      align: What pictures are aligned by, one of `manifest.ALIGNMENTS`.
      chunks: Names of files in the source. While the outcomes of one chunk are being
        consumed, the workers already prepare the next one.
      work_dir: Folder for notes on what the workers are reading, which is created if
        necessary.

    Yields:
      An iterator with one item per chunk: an iterator over its files, in order, with
      the outcomes of each.

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
        _prepare_file, source, resolution, align, work_dir, reading.fatal_names()
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
    function: Callable[[str], list[Outcome]],
    chunks: Iterable[Sequence[str]],
    started: set[multiprocessing.process.BaseProcess],
) -> Iterator[Iterator[list[Outcome]]]:
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


@functools.cache
def _open_source(source: AnyPath) -> Callable[[str], bytes]:
    # Opening an archive takes much longer than reading one file of it.
    try:
        return pictures.open_source(source)
    except (OSError, zipfile.BadZipFile) as error:
        # The preparation has listed its files before.
        raise UserError(f"cannot read {source} any more: {error}") from error


@functools.cache
def _face_detector() -> FaceDetector:
    # The other cores are for the other workers, and a GPU is for training.
    os.environ.update(
        TF_NUM_INTRAOP_THREADS="1",
        TF_NUM_INTEROP_THREADS="1",
        CUDA_VISIBLE_DEVICES="",
    )
    import_tensorflow()
    return FaceDetector()


def _prepare_file(
    source: AnyPath,
    resolution: int,
    align: str,
    work_dir: Path,
    fatal: frozenset[str],
    name: str,
) -> list[Outcome]:
    printable = pictures.printable(name)
    if name in fatal:
        reason = "worker processes were killed while they read it"
        return [Outcome(printable, reason=reason)]
    note_reading(work_dir, name)
    try:
        content = _open_source(source)(name)
        if align == "faces":
            return _prepare_faces(content, resolution, printable)
        pixels = pictures.load_picture(content, resolution)
    except pictures.BadPictureError as error:
        return [Outcome(printable, reason=str(error))]
    except MemoryError:
        return [Outcome(printable, reason="not enough memory to read it")]
    return [_outcome(printable, pixels)]


def _prepare_faces(content: bytes, resolution: int, name: str) -> list[Outcome]:
    image = pictures.load_whole_picture(content)
    portraits = cut_out_portraits(image, resolution, _face_detector())
    outcomes = []
    for number, portrait in enumerate(portraits, start=1):
        if portrait.pixels is None:
            reason = f"face {number} of {len(portraits)}: {portrait.reason}"
            outcomes.append(Outcome(name, reason=reason))
        else:
            row = face_row(name, number, portrait.face)
            outcomes.append(_outcome(f"{name}#{number}", portrait.pixels, row))
    return outcomes


def _outcome(name: str, pixels: np.ndarray, face: tuple[str, ...] = ()) -> Outcome:
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    checksum = hashlib.sha256(pixels.tobytes()).hexdigest()
    return Outcome(name, png.getvalue(), checksum, face=face)
