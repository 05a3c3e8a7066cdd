"""Converts a folder or ZIP archive of pictures into TFRecord shards.

Every shard is made from a fixed range of the sorted source files, and a note beside it
records what `dataset.json` will need. A preparation that was stopped can therefore
continue with the missing shards, and produces the same bytes as one that was not.
"""

import contextlib
import csv
import dataclasses
import io
import os
from collections.abc import Iterable, Iterator, Sequence

from tqdm import tqdm

from tf_unsup3d.data import face_detection, faces_table, pictures, shards, workers
from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data.json_value import JsonValue
from tf_unsup3d.data.mending import mend_shards
from tf_unsup3d.data.verified import remember_intact
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import (
    LOCK_NAME,
    exclusive,
    local_companion,
    remove_leftovers,
    write_json,
    write_text,
    writing,
)
from tf_unsup3d.gfile_path import AnyPath, to_path

SKIPPED_NAME = "skipped.csv"
FACES_NAME = "faces.csv"
_SETTINGS_NAME = "settings.json"


@dataclasses.dataclass(frozen=True)
class _Settings:
    """What the content of a prepared folder depends on.

    Attributes:
      format_version: Version of the layout of the prepared folder.
      resolution: Height and width of the prepared pictures in pixels.
      align: What the pictures are aligned by, one of `manifest.ALIGNMENTS`.
      source: Name of the source.
      source_checksum: SHA-256 of the names and sizes of the files in the source.
      pictures_per_shard: Number of source files per shard; None for a finished folder,
        which can be used whatever the size of its shards.
    """

    format_version: int
    resolution: int
    align: str
    source: str
    source_checksum: str
    pictures_per_shard: int | None


class _UnusableSourceError(UserError):
    """The source cannot be prepared as it is."""


def prepare_pictures(
    source: str | os.PathLike,
    output: str | os.PathLike,
    resolution: int,
    *,
    align: str = "none",
    strict: bool = False,
    pictures_per_shard: int | None = None,
) -> tuple[manifests.Manifest, bool]:
    """Prepares pictures for training, continues that where it was stopped, or mends it.

    The folder `output` then holds shards such as `pictures-00000-of-00004.tfrecord`,
    which consist of `tf.train.Example` records with the features `picture` (a PNG file)
    and `name`; `dataset.json`; and `skipped.csv`, which lists each file that could not
    be used together with the reason. With `align="faces"`, each face is a picture;
    `skipped.csv` lists the faces that cannot be used as well, and `faces.csv` says from
    which file, and from where in it, each picture comes. If they are already there,
    shards that were damaged or deleted since are written again.

    Args:
      source: Folder (with sub-folders) or ZIP archive.
      output: The folder to write, which is new, empty, or left by an earlier call.
      resolution: Height and width of the prepared pictures in pixels, a power of two
        from 8 to 1024.
      align: "none" for the central square of each picture, or "faces" for the square
        that FFHQ cuts out around each face.
      strict: Whether to stop at the first file or face that cannot be used instead of
        skipping it.
      pictures_per_shard: Number of source files per shard. By default the decoded
        pictures of a shard take about 64 MiB.

    Returns:
      The manifest, and whether there was anything left to do.

    Raises:
      UserError: If the source holds no pictures, the output cannot be written, is in
        use by another preparation or holds something else, or the resolution is not
        allowed; with `strict`, also if a file cannot be used; with `align="faces"`,
        also if the package `mtcnn` is not installed.
      ValueError: If `align` is not one of `manifest.ALIGNMENTS`.
    """
    pictures.check_resolution(resolution)
    if align not in manifests.ALIGNMENTS:
        raise ValueError(f"align is {align!r}, not one of {manifests.ALIGNMENTS}")
    if align == "faces":
        face_detection.check_installed()
    source, output = to_path(source), to_path(output)
    _check_places(source, output)
    files = pictures.list_files(source)
    if pictures_per_shard is None:
        pictures_per_shard = min(max(2**26 // (3 * resolution**2), 64), 1024)
    settings = _Settings(
        format_version=manifests.FORMAT_VERSION,
        resolution=resolution,
        align=align,
        source=pictures.printable(source.resolve().name),
        source_checksum=pictures.listing_checksum(files),
        pictures_per_shard=pictures_per_shard,
    )
    names = [file.name for file in files]
    chunks = [
        names[start : start + pictures_per_shard]
        for start in range(0, len(names), pictures_per_shard)
    ]
    with writing(output):
        finished = _find_finished(output, settings, strict)
        if finished and not manifests.damaged_shards(output, finished):
            return finished, False
        try:
            with exclusive(output):
                # Another program may have finished it meanwhile.
                finished = _find_finished(output, settings, strict)
                if finished:
                    mend_shards(source, output, finished, chunks)
                    remember_intact(output, finished.shards)
                    return finished, True
                return _prepare(source, output, settings, chunks, strict), True
        except _UnusableSourceError:
            with contextlib.suppress(OSError):
                output.rmdir()
            raise


def _prepare(
    source: AnyPath,
    output: AnyPath,
    settings: _Settings,
    chunks: Sequence[Sequence[str]],
    strict: bool,
) -> manifests.Manifest:
    """Prepares all shards that are not finished."""
    started = _start_or_continue(output, settings)
    try:
        names = _write_shards(source, output, settings, chunks, strict)
        return _finish(source, output, settings, names)
    except _UnusableSourceError:
        # Whoever repairs the source changes it, and then this preparation could not be
        # continued. What an earlier one has written may have taken hours.
        if started:
            _discard(output)
        raise


def _check_places(source: AnyPath, output: AnyPath) -> None:
    if output.exists() and not output.is_dir():
        raise UserError(f"output {output} is a file, not a folder")
    inner, outer = output.resolve(), source.resolve()
    if source.is_dir() and (inner == outer or outer in inner.parents):
        raise UserError(f"output {output} lies inside the input {source}")


def _find_finished(
    output: AnyPath, settings: _Settings, strict: bool
) -> manifests.Manifest | None:
    """Returns the manifest of a finished preparation, if it is the one asked for."""
    if not (output / manifests.MANIFEST_NAME).exists():
        return None
    manifest = manifests.read_manifest(output)
    found = _Settings(
        format_version=manifest.format_version,
        resolution=manifest.resolution,
        align=manifest.align,
        source=manifest.source,
        source_checksum=manifest.source_checksum,
        pictures_per_shard=None,
    )
    _check_settings(output, settings, found)
    if strict and manifest.skipped:
        raise UserError(
            f"{describe_skipped(manifest)} were skipped, see {output / SKIPPED_NAME}"
        )
    return manifest


def describe_skipped(manifest: manifests.Manifest) -> str:
    """Says how many files, or faces in them, could not be used."""
    what = "files or faces" if manifest.align == "faces" else "files"
    return f"{manifest.skipped} {what}"


def _check_settings(output: AnyPath, wanted: _Settings, found: _Settings) -> None:
    if found.format_version != wanted.format_version:
        difference = "by another version of this program"
    elif found.resolution != wanted.resolution:
        difference = f"at resolution {found.resolution}, not {wanted.resolution}"
    elif found.align != wanted.align:
        difference = f"with --align={found.align}, not {wanted.align}"
    elif found.source != wanted.source:
        difference = f"from {found.source!r}, not {wanted.source!r}"
    elif found.source_checksum != wanted.source_checksum:
        difference = f"from {found.source!r} before files in it changed"
    elif found.pictures_per_shard not in (None, wanted.pictures_per_shard):
        difference = "with another number of pictures per shard"
    else:
        return
    raise UserError(
        f"{output} holds pictures prepared {difference}; "
        "delete it or choose another output"
    )


def _start_or_continue(output: AnyPath, settings: _Settings) -> bool:
    """Returns whether the preparation is a new one."""
    path = output / manifests.WORK_NAME / _SETTINGS_NAME
    if path.exists():
        _check_settings(output, settings, _read_settings(path, output))
        remove_leftovers(output)
        return False
    if output.exists() and any(
        entry.name not in (manifests.WORK_NAME, LOCK_NAME) for entry in output.iterdir()
    ):
        raise UserError(
            f"output {output} already holds other files; choose a new or empty folder"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, dataclasses.asdict(settings))
    return True


def _read_settings(path: AnyPath, output: AnyPath) -> _Settings:
    values = JsonValue.read(path, remedy=f"delete {output}")
    return _Settings(
        format_version=values["format_version"].integer(),
        resolution=values["resolution"].integer(),
        align=values["align"].text(),
        source=values["source"].text(),
        source_checksum=values["source_checksum"].checksum(),
        pictures_per_shard=values["pictures_per_shard"].integer(minimum=1),
    )


def _write_shards(
    source: AnyPath,
    output: AnyPath,
    settings: _Settings,
    chunks: Sequence[Sequence[str]],
    strict: bool,
) -> list[str]:
    """Writes all shards that are not finished, and returns the names of all.

    What became of each picture is in the notes of the shards, and not kept in memory.
    """
    names = [manifests.shard_name(index, len(chunks)) for index in range(len(chunks))]
    missing = [
        index
        for index, name in enumerate(names)
        if not shards.is_finished(output, name)
    ]
    total = sum(map(len, chunks))
    done = total - sum(len(chunks[index]) for index in missing)
    with (
        tqdm(total=total, initial=done, unit="picture", desc="preparing") as bar,
        workers.prepare_chunks(
            source,
            settings.resolution,
            settings.align,
            [chunks[index] for index in missing],
            local_companion(output) / manifests.WORK_NAME,
        ) as results,
    ):
        for index, files in zip(missing, results, strict=True):
            outcomes = _watch(files, bar, source, strict)
            shards.write_shard(output, names[index], outcomes)
    if strict:
        # Files that an earlier call, which was not strict, has skipped.
        for shard in names:
            for name, reason in shards.read_note(output, shard).skipped:
                raise _UnusableSourceError(f"{source}: {name}: {reason}")
    return names


def _watch(
    files: Iterable[list[workers.Outcome]], bar: tqdm, source: AnyPath, strict: bool
) -> Iterator[workers.Outcome]:
    for outcomes in files:
        for outcome in outcomes:
            if strict and outcome.reason:
                raise _UnusableSourceError(
                    f"{source}: {outcome.name}: {outcome.reason}"
                )
            yield outcome
        bar.update()


def _finish(
    source: AnyPath,
    output: AnyPath,
    settings: _Settings,
    names: Sequence[str],
) -> manifests.Manifest:
    finished: list[manifests.Shard] = []
    skipped: list[tuple[str, str]] = []
    faces: list[tuple[str, ...]] = []

    def read_checksums() -> Iterator[str]:
        """The checksums of all pictures; collects what there is less of."""
        for name in names:
            note = shards.read_note(output, name)
            finished.append(note.shard)
            skipped.extend(note.skipped)
            faces.extend(note.faces)
            yield from note.checksums

    checksum = manifests.pixels_checksum(read_checksums())
    count = sum(shard.count for shard in finished)
    if not count:
        name, reason = skipped[0]
        files = len({file for file, _ in skipped})
        raise _UnusableSourceError(
            f"no pictures in {source}: none of its {files} files can be used "
            f"(the first: {name}: {reason})"
        )
    manifest = manifests.Manifest(
        count=count,
        resolution=settings.resolution,
        source=settings.source,
        source_checksum=settings.source_checksum,
        checksum=checksum,
        skipped=len(skipped),
        shards=tuple(finished),
        align=settings.align,
    )
    _write_table(output / SKIPPED_NAME, ("path", "reason"), skipped)
    if settings.align == "faces":
        rows = [(str(number), *face) for number, face in enumerate(faces)]
        _write_table(output / FACES_NAME, ("picture", *faces_table.COLUMNS), rows)
    manifests.write_manifest(output, manifest)
    remember_intact(output, manifest.shards)
    shards.remove_notes(output)
    return manifest


def _write_table(
    path: AnyPath, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, table.getvalue())


def _discard(output: AnyPath) -> None:
    """Removes everything that an unfinished preparation has written."""
    for shard in output.glob("pictures-*.tfrecord"):
        shard.unlink()
    for name in (SKIPPED_NAME, FACES_NAME):
        (output / name).unlink(missing_ok=True)
    shards.remove_notes(output)
