"""Input pipelines for training from prepared or plain pictures."""

import abc
import concurrent.futures
import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging
from tqdm import tqdm

from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data import pictures, salvage
from tf_unsup3d.data.order import shuffled
from tf_unsup3d.data.verified import forget_intact, recall_intact, remember_intact
from tf_unsup3d.errors import UserError
from tf_unsup3d.gfile_path import AnyPath, to_path

# A discriminator memorises fewer pictures than this within minutes.
MINIMUM_PICTURES = 16

# Part of prepared pictures that may be damaged: training is hardly worse without them.
TOLERATED_DAMAGE = 0.01

# Most memory for the pixels of plain pictures.
_PLAIN_BYTES = 4 * 2**30
# Most memory for the prepared pictures that are shuffled together. While some are
# returned, the next are read, and copied once.
_WINDOW_BYTES = 2**27


class PictureSet(abc.ABC):
    """An opened set of pictures for training.

    Attributes:
      data_dir: The folder that they are read from.
      count: Number of pictures.
      resolution: Height and width in pixels of the pictures that `batches` returns.
      source: Name of the folder or archive that the pictures come from.
      checksum: SHA-256 of the stored pixels; see `manifest.pixels_checksum`. Plain
        pictures and the pictures prepared from them at this resolution have the same
        checksum.
      skipped: Number of files that could not be used.
    """

    def __init__(
        self,
        data_dir: AnyPath,
        resolution: int,
        *,
        count: int,
        stored_resolution: int,
        source: str,
        checksum: str,
        skipped: int,
    ):
        self.count = count
        self.resolution = resolution
        self.source = source
        self.checksum = checksum
        self.skipped = skipped
        self.data_dir = data_dir
        self._stored_resolution = stored_resolution

    def batches(
        self,
        batch_size: int,
        *,
        seed: int,
        mirror: bool = False,
        shuffle: bool = True,
        repeat: bool = True,
        first_batch: int = 0,
    ) -> tf.data.Dataset:
        """Returns the pictures in batches.

        A batch is a function of the arguments and its number alone, so that the batches
        of a continued run are those of an undisturbed one.

        Args:
          batch_size: Number of pictures per batch.
          seed: Seed of the order and of the choice of mirrored pictures, an integer of
            at most 64 bits.
          mirror: Whether to mirror each picture left to right with probability 0.5.
          shuffle: Whether to return the pictures in random order, a different order in
            each epoch.
          repeat: Whether to repeat the pictures for ever, in full batches only.
            Otherwise each picture is returned once, and the last batch may be smaller.
          first_batch: Number of the batch to begin with, counted from 0 over all
            epochs. Those before it are not read.

        Returns:
          Dataset of [batch_size, resolution, resolution, 3] float32 in [-1, 1].

        Raises:
          UserError: If `repeat` is true and there are fewer than `batch_size` or
            `MINIMUM_PICTURES` pictures.
        """
        if repeat:
            self.check_enough(batch_size)
        elements = self._elements(
            seed if shuffle else None,
            first=first_batch * batch_size,
            epochs=None if repeat else 1,
        )
        batches = elements.batch(batch_size, drop_remainder=repeat)
        batches = batches.enumerate(first_batch)

        def finish(index: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
            batch = self._normalize(batch)
            return _mirror_some(batch, (seed, index)) if mirror else batch

        batches = batches.map(
            finish, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        options = tf.data.Options()
        options.deterministic = True
        # Its thread sleeps for up to a minute, and the end of an iterator may wait for
        # it. Without it, AUTOTUNE above is a fixed number of threads.
        options.autotune.enabled = False
        return batches.with_options(options).prefetch(2)

    @contextlib.contextmanager
    def iterating(self) -> Iterator[None]:
        """Turns an error of TensorFlow in a block that reads pictures into one line.

        Raises:
          UserError: See `unreadable`.
        """
        try:
            yield
        except tf.errors.OpError as error:
            raise self.unreadable(error) from error

    def unreadable(self, error: tf.errors.OpError) -> UserError:
        """Has all stored pictures checked when the set is opened again.

        Args:
          error: What TensorFlow raised while it read pictures.

        Returns:
          One clear line, to be raised.
        """
        forget_intact(self.data_dir)
        # Without the names of the nodes of the graph.
        reason = re.sub(r"\{\{.*?\}\}\s*|\s*\[\[.*", "", error.message.splitlines()[0])
        return UserError(
            f"the pictures in {self.data_dir} can no longer be read: {reason}; the "
            "next start checks all of them"
        )

    @abc.abstractmethod
    def _elements(
        self, seed: int | None, *, first: int, epochs: int | None
    ) -> tf.data.Dataset:
        """Returns a dataset of single pictures.

        Args:
          seed: Seed of the random order, or None for the stored order.
          first: Number of the first picture, counted over all epochs.
          epochs: Number of epochs after which to end, or None for no end.

        Returns:
          Dataset of [stored resolution, stored resolution, 3] uint8.
        """

    def check_enough(self, batch_size: int) -> None:
        """Checks that there are enough pictures for training.

        Args:
          batch_size: Number of pictures per batch.

        Raises:
          UserError: There are fewer than that, or than `MINIMUM_PICTURES`.
        """
        found = "1 picture" if self.count == 1 else f"{self.count} pictures"
        if self.count < MINIMUM_PICTURES:
            raise UserError(
                f"too few pictures in {self.data_dir}: {found}, training needs at "
                f"least {MINIMUM_PICTURES} (and thousands for good results)"
            )
        if self.count < batch_size:
            raise UserError(
                f"too few pictures in {self.data_dir}: {found} for batches of "
                f"{batch_size}; add pictures or make the batches smaller"
            )

    def _normalize(self, batch: tf.Tensor) -> tf.Tensor:
        batch = tf.cast(batch, tf.float32)
        size, factor = self.resolution, self._stored_resolution // self.resolution
        if factor > 1:
            batch = tf.reshape(batch, [-1, size, factor, size, factor, 3])
            batch = tf.reduce_mean(batch, axis=(2, 4))
        return batch / 127.5 - 1.0


class _PlainPictures(PictureSet):
    """The pictures of a plain folder, decoded and kept in memory."""

    def __init__(self, data_dir: AnyPath, resolution: int):
        files = pictures.list_files(data_dir)
        pixels, skipped = _load_files(data_dir, files, resolution)
        checksums = [
            hashlib.sha256(picture.tobytes()).hexdigest() for picture in pixels
        ]
        super().__init__(
            data_dir,
            resolution,
            count=len(pixels),
            stored_resolution=resolution,
            source=pictures.printable(data_dir.resolve().name),
            checksum=manifests.pixels_checksum(checksums),
            skipped=skipped,
        )
        # On the host, because GPU memory is needed for training.
        with tf.device("CPU:0"):
            self._pixels = tf.constant(pixels)

    def _elements(
        self, seed: int | None, *, first: int, epochs: int | None
    ) -> tf.data.Dataset:
        def picture(number: tf.Tensor) -> tf.Tensor:
            epoch, position = number // self.count, number % self.count
            if seed is not None:
                position = shuffled(position, self.count, seed, epoch)
            return tf.gather(self._pixels, position)

        return _numbers(first, epochs, self.count).map(picture)


class _PreparedPictures(PictureSet):
    """The pictures of a folder written by `prepare.prepare_pictures`."""

    def __init__(self, data_dir: AnyPath, resolution: int, note_intact: bool):
        manifest = manifests.read_manifest(data_dir)
        if manifest.resolution < resolution:
            raise UserError(
                f"the pictures in {data_dir} were prepared at resolution "
                f"{manifest.resolution}, below the {resolution} asked for; prepare "
                f"the originals into another folder with --resolution={resolution}"
            )
        damage = _check_damage(data_dir, manifest, note_intact)
        super().__init__(
            data_dir,
            resolution,
            count=manifest.count - sum(part.lost for part in damage),
            stored_resolution=manifest.resolution,
            source=manifest.source,
            checksum=manifest.checksum,
            skipped=manifest.skipped + sum(part.lost for part in damage),
        )
        files = {
            shard.file: (data_dir / shard.file, shard.count)
            for shard in manifest.shards
        }
        if damage:
            # The readers of TFRecord files stop at the first damaged record.
            self._intact_dir = tempfile.TemporaryDirectory(prefix="unsup3d-")
            for part in damage:
                path = Path(self._intact_dir.name) / part.shard.file
                salvage.write_records(path, part.intact)
                files[part.shard.file] = path, len(part.intact)
        filled = [(path, count) for path, count in files.values() if count]
        self._paths = [os.fspath(path) for path, _ in filled]
        self._counts = np.array([count for _, count in filled], np.int64)
        average_bytes = sum(path.stat().st_size for path, _ in filled) // len(filled)
        self._shards_per_window = max(1, _WINDOW_BYTES // max(average_bytes, 1))

    def _elements(
        self, seed: int | None, *, first: int, epochs: int | None
    ) -> tf.data.Dataset:
        # An epoch consists of windows: shards drawn at random, whose pictures are
        # shuffled together in memory. Within them, files are read in sequence.
        shards, size = len(self._paths), self._shards_per_window
        windows = -(-shards // size)

        def shards_of(window: tf.Tensor) -> tf.Tensor:
            start = window % windows * size
            chosen = tf.range(start, tf.minimum(start + size, shards))
            if seed is None:
                return chosen
            return shuffled(chosen, shards, seed, window // windows)

        def read(window: tf.Tensor) -> tf.Tensor:
            chosen = shards_of(window)
            count = tf.reduce_sum(tf.gather(self._counts, chosen))
            files = tf.data.TFRecordDataset(tf.gather(self._paths, chosen))
            records = files.batch(count).get_single_element()
            if seed is None:
                return records
            # No stream of windows meets one of epochs.
            stream = -1 - window
            return tf.gather(records, shuffled(tf.range(count), count, seed, stream))

        # Where the first picture is: its window, and how many come before it there.
        window, skipped = first // self.count * windows, first % self.count
        while True:
            chosen = shards_of(tf.constant(window, tf.int64)).numpy()
            count = sum(self._counts[shard] for shard in chosen)
            if skipped < count:
                break
            window, skipped = window + 1, skipped - count
        records = _numbers(window, epochs, windows).map(read).prefetch(1)
        return (
            records.flat_map(tf.data.Dataset.from_tensor_slices)
            .skip(skipped)
            .map(self._decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        )

    def _decode(self, record: tf.Tensor) -> tf.Tensor:
        return salvage.decode_record(record, self._stored_resolution)


def _check_damage(
    data_dir: AnyPath, manifest: manifests.Manifest, note_intact: bool
) -> list[salvage.DamagedShard]:
    """Warns of damaged shards, and refuses them if too many pictures are lost.

    Shards that have not changed since they were known to be intact are not read, so
    that opening a large set takes no longer than opening a small one.
    """
    trusted = recall_intact(data_dir, manifest.shards)
    damage = salvage.find_damage(data_dir, manifest, trusted)
    if note_intact and len(trusted) < len(manifest.shards):
        damaged = {part.shard for part in damage}
        remember_intact(
            data_dir, [shard for shard in manifest.shards if shard not in damaged]
        )
    lost = sum(part.lost for part in damage)
    remedy = "run the same unsup3d-prepare-data again to mend it"
    if lost > TOLERATED_DAMAGE * manifest.count:
        raise UserError(
            f"{damage[0].describe(data_dir)}; of the whole set {lost} of "
            f"{manifest.count}, and {TOLERATED_DAMAGE:.0%} is tolerated; {remedy}"
        )
    for part in damage:
        logging.warning("%s; %s", part.describe(data_dir), remedy)
    return damage


def open_pictures(
    data_dir: str | os.PathLike, resolution: int, *, note_intact: bool = True
) -> PictureSet:
    """Opens a prepared folder or a folder of plain pictures.

    Plain pictures are decoded, cropped and resized as in `prepare_pictures` and kept in
    memory. A warning in the log names each file that cannot be used. Prepared pictures
    of a higher resolution are averaged down.

    Args:
      data_dir: Prepared folder (one that holds a `dataset.json`), or folder of pictures
        and sub-folders.
      resolution: Height and width of the returned pictures in pixels, a power of two
        from 8 to 1024.
      note_intact: Whether to note in a prepared folder which of its files are intact,
        so that they need not be read when it is opened again.

    Returns:
      The opened pictures.

    Raises:
      UserError: If the resolution is not allowed; if the folder is missing, empty,
        without pictures, or an unfinished preparation; if a prepared folder is damaged
        or has a lower resolution; or if plain pictures do not fit in memory.
    """
    pictures.check_resolution(resolution)
    data_dir = to_path(data_dir)
    if not data_dir.exists():
        raise UserError(f"data folder {data_dir} does not exist")
    if not data_dir.is_dir():
        raise UserError(
            f"{data_dir} is a file, not a folder; an archive has to be prepared first: "
            f"unsup3d-prepare-data --input={data_dir} --output=FOLDER "
            f"--resolution={resolution}"
        )
    if (data_dir / manifests.MANIFEST_NAME).exists():
        return _PreparedPictures(data_dir, resolution, note_intact)
    if (data_dir / manifests.WORK_NAME).exists():
        raise UserError(
            f"the preparation of {data_dir} is unfinished; run the same "
            "unsup3d-prepare-data again to continue it"
        )
    return _PlainPictures(data_dir, resolution)


def _numbers(first: int, epochs: int | None, size: int) -> tf.data.Dataset:
    """Counts int64 numbers from `first`, up to the end of an epoch of `size` or on."""
    return tf.data.Dataset.range(
        first, tf.int64.max if epochs is None else epochs * size
    )


def _load_files(
    folder: AnyPath, files: list[pictures.SourceFile], resolution: int
) -> tuple[np.ndarray, int]:
    """Decodes all usable files of a folder in order.

    Args:
      folder: The folder.
      files: The files in the folder.
      resolution: Height and width of the decoded pictures in pixels.

    Returns:
      The pictures, [count, resolution, resolution, 3] uint8, and the number of skipped
      files.
    """
    needed = len(files) * resolution**2 * 3
    if needed > _PLAIN_BYTES:
        raise UserError(
            f"the {len(files)} files in {folder} could take {needed / 2**30:.1f} GiB "
            f"of memory as plain pictures; prepare them first: unsup3d-prepare-data "
            f"--input={folder} --output=FOLDER --resolution={resolution}"
        )
    read = pictures.open_source(folder)

    def load(file: pictures.SourceFile) -> np.ndarray | pictures.BadPictureError:
        try:
            return pictures.load_picture(read(file.name), resolution)
        except pictures.BadPictureError as error:
            return error

    pixels = np.empty([len(files), resolution, resolution, 3], np.uint8)
    count, first_bad = 0, None
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        results = tqdm(
            threads.map(load, files),
            total=len(files),
            unit="picture",
            desc="reading pictures",
            disable=None,  # Only shown on a terminal.
        )
        for file, result in zip(files, results, strict=True):
            if isinstance(result, pictures.BadPictureError):
                bad = f"{pictures.printable(file.name)}: {result}"
                logging.warning("skipped %s", bad)
                first_bad = first_bad or bad
            else:
                pixels[count] = result
                count += 1
    if count == 0:
        raise UserError(
            f"no pictures in {folder}: none of its {len(files)} files can be used "
            f"(the first: {first_bad})"
        )
    return pixels[:count], len(files) - count


def _mirror_some(batch: tf.Tensor, seed: tuple[int, tf.Tensor]) -> tf.Tensor:
    """Mirrors each picture left to right with probability 0.5.

    Args:
      batch: [batch, height, width, 3] pictures.
      seed: The two integers that alone determine which pictures are mirrored.

    Returns:
      [batch, height, width, 3] pictures.
    """
    chances = tf.random.stateless_uniform([tf.shape(batch)[0], 1, 1, 1], seed)
    return tf.where(chances < 0.5, tf.reverse(batch, axis=[2]), batch)
