"""Checkpoint files: whole or absent, and anything else is noticed."""

import errno
import io
import pickle
import resource
import tracemalloc
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from absl import logging

from tf_unsup3d.errors import UserError
from tf_unsup3d.trained import checkpoints
from tf_unsup3d.trained.checkpoints import (
    Checkpoint,
    DamagedCheckpointError,
    checkpoint_path,
    find_checkpoints,
    restore_checkpoint,
    restore_newest,
    write_checkpoint,
)


def variables(value=0.0):
    """Some variables, all of one value."""
    return {
        "network": [tf.Variable(tf.fill([3, 4], value)), tf.Variable([value] * 5)],
        "step": tf.Variable(int(value), dtype=tf.int64),
    }


def values(variables):
    network, step = variables["network"], variables["step"]
    return [*np.unique(np.concatenate([v.numpy().ravel() for v in network])), int(step)]


def write_former(folder, value):
    """Writes a checkpoint as earlier versions did."""
    checkpoint = tf.train.Checkpoint(**variables(value))
    manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=9)
    manager.save(checkpoint_number=int(value))


def write(folder, value):
    write_checkpoint(checkpoint_path(folder, int(value)), variables(value))


@pytest.fixture
def warnings(monkeypatch):
    lines = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: lines.append(text % a))
    return lines


def test_it_holds_what_was_written(tmp_path):
    write(tmp_path, 7.0)
    (found,) = find_checkpoints(tmp_path)
    assert (found.step, found.path) == (7, tmp_path / "ckpt-7.npz")
    restored = variables()
    restore_checkpoint(found, restored)
    assert values(restored) == [7.0, 7]
    part = {"network": restored["network"]}
    restore_checkpoint(found, part)
    with np.load(found.path) as opened:
        assert set(opened.files) == {"network/0000", "network/0001", "step", "sha256"}


def test_what_does_not_fit_is_named_and_changes_nothing(tmp_path):
    write(tmp_path, 7.0)
    (found,) = find_checkpoints(tmp_path)
    for other in (
        {"network": [tf.Variable(tf.zeros([3, 5]))]},
        {**variables(), "more": tf.Variable(0.0)},
    ):
        before = other["network"][0].numpy()
        with pytest.raises(UserError, match="ckpt-7.npz does not fit the config") as e:
            restore_newest(tmp_path, lambda one, v=other: restore_checkpoint(one, v))
        assert not isinstance(e.value, DamagedCheckpointError)
        np.testing.assert_array_equal(other["network"][0], before)


def zero(content):
    return b""


def half(content):
    return content[: len(content) // 2]


def random(content):
    return np.random.default_rng(0).bytes(len(content))


def nuls(content):
    middle = len(content) // 2
    return content[: middle - 50] + bytes(100) + content[middle + 50 :]


def flipped(content):
    content = bytearray(content)
    content[content.index(np.float32(3.0).tobytes())] ^= 1
    return bytes(content)


DAMAGES = [zero, half, random, nuls, flipped]


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_one_before_a_damaged_one_is_used(tmp_path, warnings, damage):
    for value in (1.0, 2.0, 3.0):
        write(tmp_path, value)
    newest = checkpoint_path(tmp_path, 3)
    newest.write_bytes(damage(newest.read_bytes()))
    restored = variables()
    used = restore_newest(tmp_path, lambda one: restore_checkpoint(one, restored))
    assert used.step == 2 and values(restored) == [2.0, 2]
    (line,) = warnings
    assert "ckpt-3.npz is damaged" in line and "\n" not in line
    for value in (1, 2):
        checkpoint_path(tmp_path, value).write_bytes(b"")
    with pytest.raises(UserError, match=f"all 3 checkpoints in {tmp_path} are damaged"):
        restore_newest(tmp_path, lambda one: restore_checkpoint(one, restored))


@pytest.mark.parametrize(
    "error", [OSError(errno.ESTALE, "Stale file handle"), MemoryError()]
)
def test_an_older_one_is_not_used_where_the_newest_may_be_intact(
    tmp_path, monkeypatch, error
):
    for value in (1.0, 2.0):
        write(tmp_path, value)

    def fail(archive, member):
        raise error

    monkeypatch.setattr(zipfile.ZipFile, "read", fail)
    with pytest.raises(UserError, match="read .*ckpt-2.npz") as raised:
        restore_newest(tmp_path, lambda one: restore_checkpoint(one, variables()))
    assert not isinstance(raised.value, DamagedCheckpointError)


def test_texts_do_not_become_numbers(tmp_path):
    write(tmp_path, 7.0)
    path = checkpoint_path(tmp_path, 7)
    arrays = {name: array for name, array in np.load(path).items() if name != "sha256"}
    arrays["network/0001"] = arrays["network/0001"].astype("U8")
    arrays["sha256"] = checkpoints._checksum(arrays)
    np.savez(path, **arrays)
    with pytest.raises(UserError, match="ckpt-7.npz does not fit the config"):
        restore_checkpoint(Checkpoint(path, 7), variables())


def test_no_checkpoint_is_no_error(tmp_path):
    assert restore_newest(tmp_path / "missing", print) is None
    (tmp_path / "ckpt-x.npz").touch()
    (tmp_path / ".partial-1234.npz").touch()
    assert restore_newest(tmp_path, print) is None


def test_any_flipped_bit_is_noticed_or_harmless(tmp_path):
    write(tmp_path, 3.0)
    path = checkpoint_path(tmp_path, 3)
    whole, noticed = path.read_bytes(), 0
    random = np.random.default_rng(0)
    for _ in range(400):
        content = bytearray(whole)
        content[random.integers(len(whole))] ^= 1 << random.integers(8)
        path.write_bytes(content)
        restored = variables()
        try:
            restore_checkpoint(Checkpoint(path, 3), restored)
            assert values(restored) == [3.0, 3]
        except DamagedCheckpointError:
            noticed += 1
    assert noticed > 200


def limited_files(size):
    """Lets no file of this process grow beyond a size, as if the disk were full."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))


def test_a_full_disk_leaves_the_older_ones(tmp_path):
    write(tmp_path, 1.0)
    before = checkpoint_path(tmp_path, 1).read_bytes()
    usual, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    limited_files(500)
    try:
        for step in (1, 2):
            with pytest.raises(UserError, match=rf"^cannot write .*ckpt-{step}\.npz: "):
                write(tmp_path, float(step))
    finally:
        limited_files(usual)
    assert [path.name for path in tmp_path.iterdir()] == ["ckpt-1.npz"]
    assert checkpoint_path(tmp_path, 1).read_bytes() == before


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code was run')",))


def with_member(content, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("step.npy", content)
    return file.getvalue()


def understated(size):
    """Zeros in a compressed member that admits to few bytes."""
    file = with_member(bytes(size), zipfile.ZIP_DEFLATED)
    assert file.count(size.to_bytes(4, "little")) == 2
    return file.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))


def header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        with_member(bytes(2**24), zipfile.ZIP_DEFLATED),
        understated(12_345_678),
        with_member(pickle.dumps(Trap())),
        with_member(header(b"{'descr': '|O', 'fortran_order': False, 'shape': ()}\n")),
        with_member(
            header(
                b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,)}\n"
            )
        ),
        with_member(header(b"__import__('os').abort()\n")),
    ],
)
def test_files_of_strangers_run_nothing_and_take_no_memory(tmp_path, content):
    path = tmp_path / "ckpt-1.npz"
    path.write_bytes(content)
    restored = variables()
    tracemalloc.start()
    try:
        with pytest.raises(DamagedCheckpointError):
            restore_checkpoint(Checkpoint(path, 1), restored)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_checkpoints_of_earlier_versions_are_restored(tmp_path, warnings):
    for value in (1.0, 2.0, 3.0):
        write_former(tmp_path, value)
    # Which would say what is the newest.
    (tmp_path / "checkpoint").unlink()
    restored = {**variables(), "r1": tf.Variable(5.0)}
    since = {"r1": restored.pop("r1")}

    def restore(checkpoint):
        restore_checkpoint(checkpoint, restored, since)

    assert restore_newest(tmp_path, restore).step == 3
    assert values(restored) == [3.0, 3] and float(since["r1"]) == 5.0
    data = tmp_path / "ckpt-3.data-00000-of-00001"
    whole = data.read_bytes()
    for damage in DAMAGES:
        data.write_bytes(damage(whole))
        assert restore_newest(tmp_path, restore).step == 2
        assert values(restored) == [2.0, 2]
    assert len(warnings) == len(DAMAGES)
    # A newer one of the present kind comes first; then nothing is left of the former.
    write(tmp_path, 3.0)
    for checkpoint in find_checkpoints(tmp_path):
        if checkpoint.is_former:
            checkpoint.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["ckpt-3.npz"]


def test_names_and_types_are_part_of_the_checksum():
    array = np.arange(4, dtype=np.float32)
    sums = [
        checkpoints._checksum(arrays).tobytes()
        for arrays in (
            {"a": array},
            {"b": array},
            {"a": array.reshape(2, 2)},
            {"a": array.view(np.int32)},
            {"a": array[::-1]},
        )
    ]
    assert len(set(sums)) == len(sums)


def test_one_that_a_training_replaces_meanwhile_is_not_missed(tmp_path):
    write(tmp_path, 1.0)
    restored = []

    def restore(checkpoint):
        if checkpoint.step == 1:
            write(tmp_path, 2.0)
            checkpoint.remove()
        restore_checkpoint(checkpoint, variables())
        restored.append(checkpoint.step)

    assert restore_newest(tmp_path, restore).step == 2
    assert restored == [2]


def test_one_that_is_removed_meanwhile_is_named(tmp_path):
    write(tmp_path, 1.0)

    def restore(checkpoint):
        checkpoint.remove()
        restore_checkpoint(checkpoint, variables())

    with pytest.raises(UserError, match="cannot read .*ckpt-1.npz"):
        restore_newest(tmp_path, restore)
