"""Turns a folder or ZIP archive of pictures into TFRecord shards.

A shard is made of a fixed range of the sorted source files, written under a temporary
name and renamed; a note beside it keeps what `dataset.json` will need. A preparation
that was stopped therefore continues with the missing shards, and ends with the same
bytes as one that was not.
"""

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import io
import json
import multiprocessing
import os
import shutil
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from csv import writer as csv_writer
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data import pictures
from tf_unsup3d.errors import UserError

SKIPPED_NAME = "skipped.csv"
_SETTINGS_NAME = "settings.json"


@dataclasses.dataclass(frozen=True)
class _Outcome:
    """What became of one source file: a picture, or the reason why not."""

    name: str
    png: bytes = b""
    checksum: str = ""
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class _FinishedShard:
    """A written shard, with what `dataset.json` and `skipped.csv` need of it."""

    shard: manifests.Shard
    checksums: list[str]
    skipped: list[tuple[str, str]]


def prepare_pictures(
    source: str | os.PathLike,
    output: str | os.PathLike,
    resolution: int,
    *,
    strict: bool = False,
    pictures_per_shard: int | None = None,
) -> tuple[manifests.Manifest, bool]:
    """Prepares pictures for training, or continues a preparation that was stopped.

    Leaves in `output` the shards `pictures-00000-of-00004.tfrecord` of
    `tf.train.Example` (features `picture`, a PNG, and `name`), `dataset.json`, and
    `skipped.csv`, which names each file that could not be used and the reason.

    Args:
      source: folder (with sub-folders) or ZIP archive.
      output: folder to write; new, empty, or left by an earlier call.
      resolution: height and width of the prepared pictures, a power of two from 8 to
        1024.
      strict: stop at the first file that cannot be used, instead of skipping it.
      pictures_per_shard: number of source files that a shard is made of. By default
        as many as keep the decoded pictures of a shard near 64 MiB.

    Returns:
      The manifest, and whether there was anything left to do.

    Raises:
      UserError: for a source without pictures, an output that cannot be written or
        holds something else, a resolution that is not allowed, and with `strict` for
        the first file that cannot be used.
    """
    pictures.check_resolution(resolution)
    source, output = Path(source), Path(output)
    _check_places(source, output)
    files = pictures.list_files(source)
    if pictures_per_shard is None:
        pictures_per_shard = min(max(2**26 // (3 * resolution**2), 64), 1024)
    settings = {
        "format_version": manifests.FORMAT_VERSION,
        "resolution": resolution,
        "source": pictures.printable(source.resolve().name),
        "source_checksum": pictures.listing_checksum(files),
    }
    try:
        if (output / manifests.MANIFEST_NAME).exists():
            return _check_finished(output, settings, strict), False
        _start_or_continue(output, settings, pictures_per_shard)
        names = [file.name for file in files]
        chunks = [
            names[start : start + pictures_per_shard]
            for start in range(0, len(names), pictures_per_shard)
        ]
        finished = _write_shards(source, output, resolution, chunks, strict)
        return _finish(source, output, settings, finished), True
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"cannot write to {output}: {reason}") from error
    except concurrent.futures.process.BrokenProcessPool as error:
        raise UserError(
            "a worker process ended abruptly, perhaps for lack of memory; "
            "run the same command again to continue"
        ) from error


def _check_places(source: Path, output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise UserError(f"output {output} is a file, not a folder")
    inner, outer = output.resolve(), source.resolve()
    if source.is_dir() and (inner == outer or outer in inner.parents):
        raise UserError(f"output {output} lies inside the input {source}")


def _check_finished(output: Path, settings: dict, strict: bool) -> manifests.Manifest:
    manifest = manifests.read_manifest(output)
    _check_settings(output, settings, dataclasses.asdict(manifest))
    manifests.check_shards(output, manifest)
    # Left when the program was ended between its last two steps.
    shutil.rmtree(output / manifests.WORK_NAME, ignore_errors=True)
    if strict and manifest.skipped:
        raise UserError(
            f"{manifest.skipped} files were skipped, see {output / SKIPPED_NAME}"
        )
    return manifest


def _check_settings(output: Path, wanted: dict, found: dict) -> None:
    if found["format_version"] != wanted["format_version"]:
        difference = "by another version of this program"
    elif found["resolution"] != wanted["resolution"]:
        difference = f"at resolution {found['resolution']}, not {wanted['resolution']}"
    elif found["source"] != wanted["source"]:
        difference = f"from {found['source']!r}, not {wanted['source']!r}"
    elif found["source_checksum"] != wanted["source_checksum"]:
        difference = f"from {found['source']!r} before files in it changed"
    elif found.get("pictures_per_shard") != wanted.get("pictures_per_shard"):
        difference = "with another number of pictures per shard"
    else:
        return
    raise UserError(
        f"{output} holds pictures prepared {difference}; "
        "delete it or choose another output"
    )


def _start_or_continue(output: Path, settings: dict, pictures_per_shard: int) -> None:
    settings = settings | {"pictures_per_shard": pictures_per_shard}
    path = output / manifests.WORK_NAME / _SETTINGS_NAME
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            _check_settings(output, settings, found)
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged; delete {output}") from error
        return
    if output.exists() and any(
        entry.name != manifests.WORK_NAME for entry in output.iterdir()
    ):
        raise UserError(
            f"output {output} already holds other files; choose a new or empty folder"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    manifests.write_json(path, settings)


def _write_shards(
    source: Path,
    output: Path,
    resolution: int,
    chunks: Sequence[Sequence[str]],
    strict: bool,
) -> list[_FinishedShard]:
    shard_names = [
        f"pictures-{index:05d}-of-{len(chunks):05d}.tfrecord"
        for index in range(len(chunks))
    ]
    finished = {name: _read_note(output, name) for name in shard_names}
    missing = [i for i, name in enumerate(shard_names) if finished[name] is None]
    total = sum(map(len, chunks))
    done = total - sum(len(chunks[index]) for index in missing)
    with (
        tqdm(total=total, initial=done, unit="picture", desc="preparing") as bar,
        _workers(source, resolution) as pool,
    ):
        results = _map_one_ahead(pool, [chunks[index] for index in missing])
        for index, outcomes in zip(missing, results, strict=True):
            outcomes = _watch(outcomes, bar, strict, source, output)
            name = shard_names[index]
            finished[name] = _write_shard(output, name, outcomes)
    if strict:
        for shard in finished.values():
            for name, reason in shard.skipped:
                _stop(source, output, name, reason)
    return [finished[name] for name in shard_names]


@contextlib.contextmanager
def _workers(
    source: Path, resolution: int
) -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    pool = concurrent.futures.ProcessPoolExecutor(
        max_workers=len(os.sched_getaffinity(0)),
        # Forking a process in which TensorFlow runs threads can lock up.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(source, resolution),
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(source: Path, resolution: int) -> None:
    global _read, _resolution
    _read = pictures.open_source(source)
    _resolution = resolution
    warnings.simplefilter("ignore")  # What matters is in `skipped.csv`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends its workers.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A killed parent cannot end its workers, and they would wait for it for ever.
    multiprocessing.parent_process().join()
    os._exit(1)


def _prepare_file(name: str) -> _Outcome:
    """Runs in a worker: reads, decodes, resizes and encodes one file."""
    try:
        pixels = pictures.load_picture(_read(name), _resolution)
    except pictures.BadPictureError as error:
        return _Outcome(pictures.printable(name), reason=str(error))
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    checksum = hashlib.sha256(pixels.tobytes()).hexdigest()
    return _Outcome(pictures.printable(name), png.getvalue(), checksum)


def _map_one_ahead(
    pool: concurrent.futures.Executor, chunks: Iterable[Sequence[str]]
) -> Iterator[Iterator[_Outcome]]:
    """Yields the outcomes of each chunk, with the next chunk already under way."""
    current = None
    for chunk in chunks:
        following = pool.map(_prepare_file, chunk, chunksize=8)
        if current is not None:
            yield current
        current = following
    if current is not None:
        yield current


def _watch(
    outcomes: Iterable[_Outcome], bar: tqdm, strict: bool, source: Path, output: Path
) -> Iterator[_Outcome]:
    for outcome in outcomes:
        if strict and outcome.reason:
            _stop(source, output, outcome.name, outcome.reason)
        yield outcome
        bar.update()


def _stop(source: Path, output: Path, name: str, reason: str) -> None:
    # Mending or deleting the bad file makes another source, with which this
    # preparation could not be continued.
    _discard(output)
    raise UserError(f"{source}: {name}: {reason}")


def _discard(output: Path) -> None:
    """Removes all that an unfinished preparation has written."""
    for shard in output.glob("pictures-*.tfrecord"):
        shard.unlink()
    (output / SKIPPED_NAME).unlink(missing_ok=True)
    shutil.rmtree(output / manifests.WORK_NAME)
    with contextlib.suppress(OSError):
        output.rmdir()


def _write_shard(
    output: Path, name: str, outcomes: Iterable[_Outcome]
) -> _FinishedShard:
    # Imported here because the workers import the modules of the main program, and
    # should not each spend seconds and memory on TensorFlow.
    import tensorflow as tf

    temporary = output / manifests.WORK_NAME / name
    checksums, skipped = [], []
    try:
        with tf.io.TFRecordWriter(os.fspath(temporary)) as records:
            for outcome in outcomes:
                if outcome.reason:
                    skipped.append((outcome.name, outcome.reason))
                    continue
                checksums.append(outcome.checksum)
                features = {
                    "picture": _bytes_feature(outcome.png),
                    "name": _bytes_feature(outcome.name.encode()),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                records.write(example.SerializeToString(deterministic=True))
    except tf.errors.OpError as error:
        raise OSError(error.message) from error
    shard = manifests.Shard(name, len(checksums), manifests.file_checksum(temporary))
    os.replace(temporary, output / name)
    finished = _FinishedShard(shard, checksums, skipped)
    manifests.write_json(_note_path(output, name), dataclasses.asdict(finished))
    return finished


def _bytes_feature(value: bytes):
    import tensorflow as tf

    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _note_path(output: Path, shard_name: str) -> Path:
    return output / manifests.WORK_NAME / f"{shard_name}.json"


def _read_note(output: Path, shard_name: str) -> _FinishedShard | None:
    """Returns the finished shard, or None if it has to be written (again)."""
    try:
        values = json.loads(_note_path(output, shard_name).read_text(encoding="utf-8"))
        shard = manifests.Shard(**values["shard"])
        if manifests.file_checksum(output / shard_name) != shard.sha256:
            return None
        skipped = [(name, reason) for name, reason in values["skipped"]]
        return _FinishedShard(shard, values["checksums"], skipped)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _finish(
    source: Path, output: Path, settings: dict, finished: Sequence[_FinishedShard]
) -> manifests.Manifest:
    checksums = [checksum for shard in finished for checksum in shard.checksums]
    skipped = [file for shard in finished for file in shard.skipped]
    if not checksums:
        name, reason = skipped[0]
        _discard(output)
        raise UserError(
            f"no pictures in {source}: none of its {len(skipped)} files can be used "
            f"(the first: {name}: {reason})"
        )
    manifest = manifests.Manifest(
        count=len(checksums),
        checksum=manifests.pixels_checksum(checksums),
        skipped=len(skipped),
        shards=tuple(shard.shard for shard in finished),
        **settings,
    )
    with open(output / SKIPPED_NAME, "w", newline="", encoding="utf-8") as file:
        table = csv_writer(file, lineterminator="\n")
        table.writerow(("path", "reason"))
        table.writerows(skipped)
    manifests.write_manifest(output, manifest)
    shutil.rmtree(output / manifests.WORK_NAME)
    return manifest
