"""Input pipelines for training, from prepared or plain pictures."""

import abc
import concurrent.futures
import hashlib
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging
from tqdm import tqdm

from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data import pictures
from tf_unsup3d.errors import UserError

# With fewer, a discriminator knows the pictures by heart within minutes.
MINIMUM_PICTURES = 16

_PLAIN_BYTES = 4 * 2**30
_SHUFFLE_BYTES = 2**29


class PictureSet(abc.ABC):
    """Pictures opened for training.

    Attributes:
      count: number of pictures.
      resolution: height and width of the pictures that `batches` gives.
      source: name of the folder or archive that they come from.
      checksum: SHA-256 of the stored pixels, see `manifest.pixels_checksum`. It is the
        same for plain pictures and for what was prepared from them at this resolution.
      skipped: number of files that could not be used.
    """

    def __init__(
        self,
        data_dir: Path,
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
        self._data_dir = data_dir
        self._stored_resolution = stored_resolution

    def batches(
        self,
        batch_size: int,
        *,
        seed: int,
        mirror: bool = False,
        shuffle: bool = True,
        repeat: bool = True,
    ) -> tf.data.Dataset:
        """Returns the pictures in batches.

        Two datasets made with the same arguments, in processes with the same
        `tf.random.set_seed`, give the same batches in the same order.

        Args:
          batch_size: number of pictures per batch.
          seed: decides the order and which pictures are mirrored; fits in 64 bits.
          mirror: turn each picture left to right with probability one half.
          shuffle: give the pictures in random order, another one in each round.
          repeat: go on for ever, with full batches only. Otherwise each picture comes
            once and the last batch may be smaller.

        Returns:
          Dataset of [batch_size, resolution, resolution, 3] float32 in [-1, 1].

        Raises:
          UserError: if `repeat` is set and there are fewer than `batch_size` or
            `MINIMUM_PICTURES` pictures.
        """
        if repeat:
            self._check_enough(batch_size)
        elements = self._elements(seed if shuffle else None)
        if repeat:
            elements = elements.repeat()
        batches = elements.batch(batch_size, drop_remainder=repeat).enumerate()

        def finish(index: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
            batch = self._normalize(batch)
            return _mirror_some(batch, (seed, index)) if mirror else batch

        batches = batches.map(
            finish, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        options = tf.data.Options()
        options.deterministic = True
        options.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.DATA
        )
        return batches.with_options(options).prefetch(tf.data.AUTOTUNE)

    @abc.abstractmethod
    def _elements(self, shuffle_seed: int | None) -> tf.data.Dataset:
        """Returns each picture once, [stored, stored, 3] uint8."""

    def _check_enough(self, batch_size: int) -> None:
        found = "1 picture" if self.count == 1 else f"{self.count} pictures"
        if self.count < MINIMUM_PICTURES:
            raise UserError(
                f"too few pictures in {self._data_dir}: {found}, training needs at "
                f"least {MINIMUM_PICTURES} (and thousands for good results)"
            )
        if self.count < batch_size:
            raise UserError(
                f"too few pictures in {self._data_dir}: {found} for batches of "
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
    """The pictures of a folder, decoded and kept in memory."""

    def __init__(self, data_dir: Path, resolution: int):
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
        # On the host: a graphics card has better use for its memory.
        with tf.device("CPU:0"):
            self._pixels = tf.constant(pixels)

    def _elements(self, shuffle_seed: int | None) -> tf.data.Dataset:
        indices = tf.data.Dataset.range(self.count)
        if shuffle_seed is not None:
            indices = indices.shuffle(self.count, seed=shuffle_seed)
        return indices.map(lambda index: tf.gather(self._pixels, index))


class _PreparedPictures(PictureSet):
    """The pictures of a folder written by `prepare.prepare_pictures`."""

    def __init__(self, data_dir: Path, resolution: int):
        manifest = manifests.read_manifest(data_dir)
        if manifest.resolution < resolution:
            raise UserError(
                f"the pictures in {data_dir} were prepared at resolution "
                f"{manifest.resolution}, below the {resolution} asked for; prepare "
                f"them again with --resolution={resolution}"
            )
        manifests.check_shards(data_dir, manifest)
        super().__init__(
            data_dir,
            resolution,
            count=manifest.count,
            stored_resolution=manifest.resolution,
            source=manifest.source,
            checksum=manifest.checksum,
            skipped=manifest.skipped,
        )
        paths = [data_dir / shard.file for shard in manifest.shards]
        self._paths = [os.fspath(path) for path in paths]
        average_bytes = sum(path.stat().st_size for path in paths) // self.count
        self._buffer = min(self.count, max(_SHUFFLE_BYTES // average_bytes, 1024))

    def _elements(self, shuffle_seed: int | None) -> tf.data.Dataset:
        if shuffle_seed is None:
            records = tf.data.TFRecordDataset(self._paths)
        else:
            # A set larger than the buffer is shuffled by the order of its shards too.
            paths = tf.data.Dataset.from_tensor_slices(self._paths)
            records = paths.shuffle(len(self._paths), seed=shuffle_seed).interleave(
                tf.data.TFRecordDataset, cycle_length=4
            )
            records = records.shuffle(self._buffer, seed=shuffle_seed)
        return records.map(
            self._decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )

    def _decode(self, record: tf.Tensor) -> tf.Tensor:
        features = {"picture": tf.io.FixedLenFeature([], tf.string)}
        example = tf.io.parse_single_example(record, features)
        picture = tf.io.decode_png(example["picture"], channels=3)
        size = self._stored_resolution
        return tf.ensure_shape(picture, [size, size, 3])


def open_pictures(data_dir: str | os.PathLike, resolution: int) -> PictureSet:
    """Opens a prepared folder, or a folder of plain pictures.

    Plain pictures are decoded, cropped and resized as `prepare_pictures` does it, and
    kept in memory; each file that cannot be used is named in the log. Prepared pictures
    of a higher resolution are averaged down.

    Args:
      data_dir: folder with a `dataset.json`, or with pictures (in sub-folders too).
      resolution: height and width of the pictures wanted, a power of two from 8 to
        1024.

    Returns:
      The opened pictures.

    Raises:
      UserError: if the resolution is not allowed, the folder is missing, empty, without
        pictures or an unfinished preparation, a prepared folder is damaged or of a
        lower resolution, or plain pictures do not fit in memory.
    """
    pictures.check_resolution(resolution)
    data_dir = Path(data_dir)
    if not data_dir.exists():
        raise UserError(f"data folder {data_dir} does not exist")
    if not data_dir.is_dir():
        raise UserError(
            f"{data_dir} is a file, not a folder; an archive has to be prepared first: "
            f"unsup3d-prepare-data --input={data_dir}"
        )
    if (data_dir / manifests.MANIFEST_NAME).exists():
        return _PreparedPictures(data_dir, resolution)
    if (data_dir / manifests.WORK_NAME).exists():
        raise UserError(
            f"the preparation of {data_dir} is unfinished; run the same "
            "unsup3d-prepare-data again to continue it"
        )
    return _PlainPictures(data_dir, resolution)


def make_dataset(
    data_dir: str | os.PathLike,
    resolution: int,
    batch_size: int,
    *,
    seed: int,
    mirror: bool = False,
    shuffle: bool = True,
    repeat: bool = True,
) -> tf.data.Dataset:
    """Opens a folder of pictures and returns them in batches.

    Args:
      data_dir: see `open_pictures`.
      resolution: see `open_pictures`.
      batch_size: see `PictureSet.batches`, as the rest.
      seed: decides the order and which pictures are mirrored.
      mirror: turn each picture left to right with probability one half.
      shuffle: give the pictures in random order.
      repeat: go on for ever, with full batches only.

    Returns:
      Dataset of [batch_size, resolution, resolution, 3] float32 in [-1, 1].

    Raises:
      UserError: see `open_pictures` and `PictureSet.batches`.
    """
    return open_pictures(data_dir, resolution).batches(
        batch_size, seed=seed, mirror=mirror, shuffle=shuffle, repeat=repeat
    )


def _load_files(
    folder: Path, files: list[pictures.SourceFile], resolution: int
) -> tuple[np.ndarray, int]:
    """Decodes all files that can be decoded, in order.

    Args:
      folder: where the files are.
      files: the files.
      resolution: height and width to make them.

    Returns:
      Pictures [count, resolution, resolution, 3] uint8, and the number of files left
      out.
    """
    needed = len(files) * resolution**2 * 3
    if needed > _PLAIN_BYTES:
        raise UserError(
            f"the {len(files)} files in {folder} could take {needed / 2**30:.1f} GiB "
            f"of memory as plain pictures; prepare them first: unsup3d-prepare-data "
            f"--input={folder} --resolution={resolution}"
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
            disable=None,  # Shown on a terminal only.
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
    """Mirrors each picture with probability one half, decided by the seed alone."""
    chances = tf.random.stateless_uniform([tf.shape(batch)[0], 1, 1, 1], seed)
    return tf.where(chances < 0.5, tf.reverse(batch, axis=[2]), batch)
