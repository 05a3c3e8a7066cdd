"""The input pipeline: the same pictures from both kinds of folder, order, range."""

import dataclasses
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from absl import logging
from PIL import Image

from tf_unsup3d.data import dataset, pictures, prepare, verify
from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.errors import UserError
from tf_unsup3d.gfile_path import to_path

COUNT = 20


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A folder of pictures of which each has its own colour, left half black."""
    folder = tmp_path_factory.mktemp("data") / "plain"
    (folder / "sub").mkdir(parents=True)
    random = np.random.default_rng(0)
    for index in range(COUNT):
        pixels = random.integers(100, 256, [32, 48, 3], np.uint8)
        pixels[:, :24] = 0
        pixels[:, 24:, 0] = 100 + index
        Image.fromarray(pixels).save(folder / "sub" / f"{index:02d}.png")
    return folder


@pytest.fixture(scope="module")
def prepared(plain, tmp_path_factory):
    output = tmp_path_factory.mktemp("data") / "prepared"
    prepare.prepare_pictures(plain, output, 16, pictures_per_shard=6)
    return output


@pytest.fixture(params=["plain", "prepared"])
def data_dir(request):
    return request.getfixturevalue(request.param)


def take(data_dir, batches, batch_size=8, **options):
    opened = dataset.open_pictures(data_dir, 16)
    made = opened.batches(batch_size, **{"seed": 1} | options)
    return np.concatenate([batch.numpy() for batch in made.take(batches)])


def once(data_dir, **options):
    return take(data_dir, -1, repeat=False, **options)


def identities(batch):
    """Tells which picture each is, mirrored or not, from its strongest red."""
    return np.round((batch[..., 0].max((1, 2)) + 1) * 127.5).astype(int)


def test_both_kinds_of_folder_give_the_decoded_pictures(plain, prepared):
    expected = [
        pictures.load_picture(path.read_bytes(), 16)
        for path in sorted((plain / "sub").iterdir())
    ]
    expected = np.stack(expected).astype(np.float32) / 127.5 - 1
    for folder in (plain, prepared):
        np.testing.assert_allclose(
            once(folder, shuffle=False), expected, rtol=0, atol=1e-6
        )
    opened = [dataset.open_pictures(folder, 16) for folder in (plain, prepared)]
    assert opened[0].checksum == opened[1].checksum


def in_memory(folder, name):
    """Copies a folder to a file system of TensorFlow's own, and returns its path."""
    url = f"ram://{name}"
    for path in folder.rglob("*"):
        if path.is_file():
            copy = to_path(url) / path.relative_to(folder).as_posix()
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return url


def test_through_gfile(data_dir, request):
    url = in_memory(data_dir, f"reading-{request.node.name}")
    np.testing.assert_array_equal(once(url), once(data_dir))
    here, there = dataset.open_pictures(data_dir, 16), dataset.open_pictures(url, 16)
    assert (there.count, there.checksum) == (here.count, here.checksum)


def test_damage_through_gfile(prepared, monkeypatch, read_shards):
    url = in_memory(prepared, "damaged")
    dataset.open_pictures(url, 16)
    dataset.open_pictures(url, 16)
    assert len(read_shards) == 8  # `ram://` keeps no times.
    assert verify.verify_pictures(url).count == COUNT
    shard = to_path(url) / "pictures-00002-of-00004.tfrecord"
    content = shard.read_bytes()
    shard.unlink()  # `ram://` would append to it.
    shard.write_bytes(content[:-9])
    with pytest.raises(UserError, match=f"{shard} is damaged: 1 of 6 pictures lost"):
        dataset.open_pictures(url, 16)
    with pytest.raises(UserError, match=f"{shard} is damaged"):
        verify.verify_pictures(url)
    monkeypatch.setattr(dataset, "TOLERATED_DAMAGE", 0.3)
    assert len(once(url)) == COUNT - 1
    with pytest.raises(UserError, match="data folder ram://none does not exist"):
        dataset.open_pictures("ram://none", 16)


def test_description(data_dir):
    opened = dataset.open_pictures(data_dir, 16)
    assert (opened.count, opened.resolution, opened.skipped) == (COUNT, 16, 0)
    assert opened.source == "plain"


def test_shape_type_and_range(data_dir):
    made = dataset.open_pictures(data_dir, 16).batches(8, seed=0)
    assert made.element_spec == tf.TensorSpec([8, 16, 16, 3], tf.float32)
    batch = next(iter(made)).numpy()
    assert batch.min() == -1.0 and 0.5 < batch.max() <= 1.0


def test_white_and_black_are_plus_and_minus_one(tmp_path):
    for index in range(16):
        colour = 255 * (index % 2)
        Image.new("L", (16, 16), colour).save(tmp_path / f"{index:02d}.png")
    batch = once(tmp_path, shuffle=False)
    assert np.unique(batch[0::2]).tolist() == [-1.0]
    assert np.unique(batch[1::2]).tolist() == [1.0]


def test_every_picture_once_when_not_repeating(data_dir):
    batches = dataset.open_pictures(data_dir, 16).batches(8, seed=0, repeat=False)
    assert [len(batch) for batch in batches] == [8, 8, 4]
    assert sorted(identities(once(data_dir))) == sorted(
        identities(once(data_dir, shuffle=False))
    )


def test_each_round_has_every_picture_in_another_order(data_dir):
    rounds = identities(take(data_dir, 15)).reshape(6, COUNT)
    for one in rounds:
        assert len(set(one)) == COUNT
    assert len({tuple(one) for one in rounds}) == 6


def test_shuffling_reaches_over_the_whole_set(data_dir):
    order = identities(once(data_dir, shuffle=False)).tolist()
    opened = dataset.open_pictures(data_dir, 16)
    first = [
        order.index(identities(next(iter(opened.batches(1, seed=seed))).numpy())[0])
        for seed in range(20)
    ]
    assert min(first) < COUNT // 4 and max(first) >= COUNT * 3 // 4


def test_the_seed_decides(data_dir):
    options = {"mirror": True, "seed": 2**40 + 3}
    np.testing.assert_array_equal(
        take(data_dir, 6, **options), take(data_dir, 6, **options)
    )
    other = take(data_dir, 6, mirror=True, seed=4)
    assert not np.array_equal(take(data_dir, 6, **options), other)


def test_mirror_turns_half_of_the_pictures(data_dir):
    straight = once(data_dir, shuffle=False)
    opened = dataset.open_pictures(data_dir, 16)
    made = opened.batches(COUNT, seed=3, mirror=True, shuffle=False)
    turned = []
    for batch in made.take(20):
        for picture, original in zip(batch.numpy(), straight, strict=True):
            same = np.array_equal(picture, original)
            assert same or np.array_equal(picture, original[:, ::-1])
            turned.append(not same)
    turned = np.reshape(turned, [20, COUNT])
    assert 0.4 < turned.mean() < 0.6
    # Decided for each picture and round anew.
    assert (turned.mean(0) > 0).all() and (turned.mean(0) < 1).all()


def test_higher_resolution_is_averaged_down(prepared):
    full = once(prepared, shuffle=False)
    opened = dataset.open_pictures(prepared, 8)
    half = opened.batches(COUNT, seed=0, shuffle=False, repeat=False)
    expected = full.reshape(COUNT, 8, 2, 8, 2, 3).mean((2, 4))
    np.testing.assert_allclose(next(iter(half)).numpy(), expected, atol=1e-6)


def test_lower_resolution_is_refused(prepared):
    with pytest.raises(UserError, match="at resolution 16, below the 32 asked for"):
        dataset.open_pictures(prepared, 32)


@pytest.mark.parametrize("window", [1, 1000, 10**6])
def test_sets_larger_than_memory_are_shuffled_in_windows(prepared, monkeypatch, window):
    monkeypatch.setattr(dataset, "_WINDOW_BYTES", window)
    whole = take(prepared, 20, mirror=True)
    rounds = identities(whole).reshape(8, COUNT)
    for one in rounds:
        assert len(set(one)) == COUNT
    assert len({tuple(one) for one in rounds}) == 8
    for first in (1, 2, 3, 9):
        entered = take(prepared, 2, mirror=True, first_batch=first)
        np.testing.assert_array_equal(entered, whole[8 * first : 8 * first + 16])


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_order_can_be_entered_anywhere(data_dir, shuffle):
    options = {"mirror": True, "shuffle": shuffle}
    whole = take(data_dir, 15, **options)
    for first in (1, 2, 5, 12):
        tf.random.set_seed(first)
        entered = take(data_dir, 15 - first, first_batch=first, **options)
        np.testing.assert_array_equal(entered, whole[8 * first :])
    assert len(take(data_dir, 1, first_batch=10**9)) == 8


def test_no_iterator_has_a_thread_to_wait_for(data_dir):
    batches = dataset.open_pictures(data_dir, 16).batches(8, seed=0)
    assert batches.map(tf.identity).options().autotune.enabled is False


def test_distributed_over_one_replica(data_dir):
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    made = dataset.open_pictures(data_dir, 16).batches(8, seed=1)
    distributed = iter(strategy.experimental_distribute_dataset(made))
    batches = np.concatenate([next(distributed).numpy() for _ in range(3)])
    np.testing.assert_array_equal(batches, take(data_dir, 3))


def test_bad_files_are_named_in_the_log(plain, tmp_path, monkeypatch):
    folder = tmp_path / "pictures"
    shutil.copytree(plain, folder)
    (folder / "notes.txt").write_text("text")
    content = (folder / "sub" / "03.png").read_bytes()
    (folder / "sub" / "03.png").write_bytes(content[: len(content) // 2])
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    lines = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: lines.append(text % a))
    opened = dataset.open_pictures(folder, 16)
    assert (opened.count, opened.skipped) == (COUNT - 1, 3)
    starts = ["notes.txt: not a picture", "one.png: too small: 1x1", "sub/03.png: dam"]
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(f"skipped {start}") and "\n" not in line


def test_bad_folders(plain, tmp_path):
    with pytest.raises(UserError, match="data folder .*missing does not exist"):
        dataset.open_pictures(tmp_path / "missing", 16)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no pictures in .*empty: it is empty"):
        dataset.open_pictures(tmp_path / "empty", 16)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("text")
    with pytest.raises(UserError, match="none of its 1 files .*a.txt: not a picture"):
        dataset.open_pictures(tmp_path / "texts", 16)
    archive = shutil.make_archive(tmp_path / "archive", "zip", plain)
    with pytest.raises(UserError, match="archive.zip is a file, .* has to be prepared"):
        dataset.open_pictures(archive, 16)
    with pytest.raises(UserError, match="resolution 24 is not a power of two"):
        dataset.open_pictures(plain, 24)
    (tmp_path / "stopped" / ".preparation").mkdir(parents=True)
    with pytest.raises(UserError, match="the preparation of .*stopped is unfinished"):
        dataset.open_pictures(tmp_path / "stopped", 16)


@pytest.mark.parametrize(
    ("count", "batch_size", "message"),
    [
        (1, 1, "1 picture, training needs at least 16"),
        (3, 2, "3 pictures, training needs at least 16"),
        (16, 17, "16 pictures for batches of 17"),
    ],
)
def test_too_few_pictures(tmp_path, count, batch_size, message):
    for index in range(count):
        Image.new("L", (16, 16), index).save(tmp_path / f"{index}.png")
    with pytest.raises(UserError, match=f"too few pictures in .*: {message}"):
        dataset.open_pictures(tmp_path, 16).batches(batch_size, seed=0)
    assert len(once(tmp_path, batch_size=batch_size)) == count


def test_too_many_plain_pictures(plain, monkeypatch):
    monkeypatch.setattr(dataset, "_PLAIN_BYTES", 10000)
    with pytest.raises(
        UserError, match="GiB of memory .*; prepare them first: unsup3d"
    ):
        dataset.open_pictures(plain, 16)


def damaged_copy(prepared, folder, damage):
    """A copy of a prepared folder, one of whose shards of six pictures was damaged."""
    shutil.copytree(prepared, folder)
    damage(folder / "pictures-00002-of-00004.tfrecord")
    return folder


def truncate(shard):
    os.truncate(shard, shard.stat().st_size - 10)


def flip(shard):
    content = bytearray(shard.read_bytes())
    content[300] ^= 4  # Within the first record.
    shard.write_bytes(content)


def fill_with_nuls(shard):
    shard.write_bytes(bytes(shard.stat().st_size))


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (truncate, "is damaged: 1 of 6 pictures lost"),
        (flip, "is damaged: 1 of 6 pictures lost"),
        (fill_with_nuls, "is damaged: 6 of 6 pictures lost"),
        (os.unlink, "is missing: 6 of 6 pictures lost"),
    ],
)
def test_much_damage_is_refused(prepared, tmp_path, damage, fault):
    copy = damaged_copy(prepared, tmp_path / "copy", damage)
    message = f"pictures-00002-of-00004.tfrecord {fault}; of the whole set .* of 20"
    with pytest.raises(UserError, match=message) as error:
        dataset.open_pictures(copy, 16)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=f"{fault}; run the same unsup3d-prepare-data"):
        verify.verify_pictures(copy)


@pytest.mark.parametrize("damage", [truncate, flip, fill_with_nuls, os.unlink])
def test_little_damage_is_skipped_and_reported(prepared, tmp_path, monkeypatch, damage):
    monkeypatch.setattr(dataset, "TOLERATED_DAMAGE", 0.3)
    lines = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: lines.append(text % a))
    opened = dataset.open_pictures(
        damaged_copy(prepared, tmp_path / "copy", damage), 16
    )
    (line,) = lines
    assert "pictures-00002-of-00004.tfrecord is " in line and " of 6 pictures" in line
    lost = COUNT - opened.count
    assert lost == opened.skipped and f": {lost} of 6 pictures lost" in line
    assert opened.checksum == dataset.open_pictures(prepared, 16).checksum
    found = identities(next(iter(opened.batches(COUNT, seed=0, repeat=False))).numpy())
    assert len(set(found)) == len(found) == opened.count
    assert set(found) <= set(identities(once(prepared)))


def test_an_intact_folder_is_verified(prepared):
    assert verify.verify_pictures(prepared).count == COUNT


def test_a_manifest_of_other_pictures_is_found(prepared, tmp_path):
    copy = shutil.copytree(prepared, tmp_path / "copy")
    manifest = manifests.read_manifest(copy)
    manifests.write_manifest(copy, dataclasses.replace(manifest, checksum="0" * 64))
    with pytest.raises(UserError, match="describes other pictures .*; delete"):
        verify.verify_pictures(copy)
    with pytest.raises(UserError, match="holds no finished preparation"):
        verify.verify_pictures(tmp_path)


@pytest.fixture
def read_shards(monkeypatch):
    """Names of the shards whose checksums are computed."""
    names, usual = [], manifests.file_checksum

    def checksum(path):
        names.append(os.path.basename(path))
        return usual(path)

    monkeypatch.setattr(manifests, "file_checksum", checksum)
    return names


def test_what_was_checked_is_not_read_again_to_start(prepared, tmp_path, read_shards):
    copy = tmp_path / "copy"
    shutil.copytree(prepared, copy)
    dataset.open_pictures(copy, 16)
    assert read_shards == []
    # As a copy without the times of the files.
    shards = sorted(copy.glob("*.tfrecord"))
    for shard in shards[1:]:
        os.utime(shard)
    dataset.open_pictures(copy, 16)
    assert sorted(read_shards) == [shard.name for shard in shards[1:]]
    dataset.open_pictures(copy, 16)
    assert len(read_shards) == len(shards) - 1
    (copy / "verified.json").write_text("{")
    dataset.open_pictures(copy, 16)
    assert len(read_shards) == 2 * len(shards) - 1


def test_what_was_checked_through_gfile_is_not_read_again(
    prepared, tmp_path, read_shards
):
    copy = shutil.copytree(prepared, tmp_path / "copy")
    (copy / "verified.json").unlink()
    for _ in range(2):
        dataset.open_pictures(f"file://{copy}", 16)
        assert len(read_shards) == 4


def test_damage_that_shows_in_training_is_skipped_from_then_on(
    prepared, tmp_path, monkeypatch
):
    monkeypatch.setattr(dataset, "TOLERATED_DAMAGE", 0.3)

    def flip_without_trace(shard):
        before = shard.stat()
        flip(shard)
        os.utime(shard, ns=(before.st_atime_ns, before.st_mtime_ns))

    copy = damaged_copy(prepared, tmp_path / "copy", flip_without_trace)
    opened = dataset.open_pictures(copy, 16)
    assert opened.count == COUNT
    message = r"pictures in .*copy can no longer be read: .*record[^{}\n]*; the next"
    with pytest.raises(UserError, match=message), opened.iterating():
        list(opened.batches(4, seed=0, repeat=False))
    assert dataset.open_pictures(copy, 16).count == COUNT - 1
    # The damaged one is read at every start, to find what is left in it.
    assert dataset.open_pictures(copy, 16).count == COUNT - 1
