"""Preparing folders and archives: shards, what is skipped, continuing, bad input."""

import concurrent.futures
import contextlib
import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_unsup3d import files
from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data import pictures, prepare, shards
from tf_unsup3d.errors import UserError

# Seconds after which a program has surely hung.
HANG = 900


def write_pictures(folder, count, *, side=24, seed=0):
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for index in range(count):
        pixels = random.integers(0, 256, [side, side, 3], np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:03d}.png")
    return folder


def write_bad_files(folder):
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "whole.jpg"
    Image.effect_noise((64, 64), 90).save(whole)
    (folder / "cut.jpg").write_bytes(whole.read_bytes()[:1000])
    whole.unlink()
    (folder / "notes.txt").write_text("no picture")
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    return folder


def read_records(folder):
    names, checksums = [], []
    for shard in manifests.read_manifest(folder).shards:
        for record in tf.data.TFRecordDataset(os.fspath(folder / shard.file)):
            features = tf.train.Example.FromString(record.numpy()).features.feature
            names.append(features["name"].bytes_list.value[0].decode())
            png = features["picture"].bytes_list.value[0]
            pixels = tf.io.decode_png(png).numpy()
            checksums.append(hashlib.sha256(pixels.tobytes()).hexdigest())
    return names, checksums


def contents(folder):
    """All files but one, which says when the others were written."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name != "verified.json"
    }


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A folder of ten pictures, in two sub-folders, and three bad files."""
    folder = tmp_path_factory.mktemp("input") / "mixed"
    write_pictures(folder / "b", 6)
    write_pictures(folder / "a", 4, seed=1)
    write_bad_files(folder / "b")
    return folder


@pytest.fixture(scope="module")
def prepared(mixed, tmp_path_factory):
    output = tmp_path_factory.mktemp("output") / "prepared"
    prepare.prepare_pictures(mixed, output, 16, pictures_per_shard=4)
    return output


def test_everything_is_left(mixed, prepared):
    shards = [f"pictures-{index:05d}-of-00004.tfrecord" for index in range(4)]
    assert sorted(contents(prepared)) == ["dataset.json", *shards, "skipped.csv"]
    values = json.loads((prepared / "dataset.json").read_text())
    assert values["count"] == 10 and values["skipped"] == 3
    assert values["resolution"] == 16 and values["source"] == "mixed"
    assert [shard["file"] for shard in values["shards"]] == shards
    assert os.fspath(mixed.parent) not in (prepared / "dataset.json").read_text()


def test_pictures_are_in_order_with_their_checksum(prepared):
    names, checksums = read_records(prepared)
    expected = [f"a/{i:03d}.png" for i in range(4)] + [
        f"b/{i:03d}.png" for i in range(6)
    ]
    assert names == expected
    manifest = manifests.read_manifest(prepared)
    assert manifest.checksum == manifests.pixels_checksum(checksums)


def test_pixels_are_those_of_load_picture(mixed, prepared):
    names, checksums = read_records(prepared)
    for name, checksum in zip(names, checksums, strict=True):
        pixels = pictures.load_picture((mixed / name).read_bytes(), 16)
        assert checksum == hashlib.sha256(pixels.tobytes()).hexdigest()


def test_skipped_files_are_named_with_their_reasons(prepared):
    with open(prepared / "skipped.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["path", "reason"]
    assert [row[0] for row in rows] == ["b/cut.jpg", "b/notes.txt", "b/one.png"]
    for (_, reason), expected in zip(
        rows, ["damaged: ", "not a picture", "too small: 1x1"], strict=True
    ):
        assert reason.startswith(expected)


def test_an_archive_gives_the_same_pictures(mixed, prepared, tmp_path):
    archive = shutil.make_archive(tmp_path / "mixed", "zip", mixed)
    output = tmp_path / "output"
    manifest, _ = prepare.prepare_pictures(archive, output, 16, pictures_per_shard=4)
    assert manifest.source == "mixed.zip"
    assert manifest.checksum == manifests.read_manifest(prepared).checksum
    for name, content in contents(prepared).items():
        if name != "dataset.json":
            assert (output / name).read_bytes() == content


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_through_gfile(mixed, prepared, tmp_path, kind, run_in_process, capsys):
    """By the program, whose worker processes read through it too."""
    source = shutil.copytree(mixed, tmp_path / "mixed")
    (source / ".hidden" / "inner").mkdir(parents=True)
    shutil.copy(source / "a" / "000.png", source / ".hidden" / "inner")
    if kind == "archive":
        source = shutil.make_archive(tmp_path / "archive", "zip", source)
    output = tmp_path / "output"
    arguments = (f"--input=file://{source}", f"--output=file://{output}")
    first = run_program(*arguments, "--resolution=16")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith(f"prepared 10 pictures of 16x16 in file://{output}")
    manifest = manifests.read_manifest(f"file://{output}")
    assert manifest == manifests.read_manifest(output)
    assert manifest.checksum == manifests.read_manifest(prepared).checksum
    assert read_records(output) == read_records(prepared)
    assert (output / "skipped.csv").read_bytes() == (
        prepared / "skipped.csv"
    ).read_bytes()
    assert len(list(output.iterdir())) == 4  # With the shard and `verified.json`.
    (shard,) = manifest.shards
    content = (output / shard.file).read_bytes()
    (output / shard.file).write_bytes(content[:-1])
    with pytest.raises(UserError, match=f"file://{output}/{shard.file} is damaged"):
        run_in_process("prepare_data", "--verify", f"--output=file://{output}")
    run_in_process("prepare_data", *arguments, "--resolution=16")
    assert capsys.readouterr().out.startswith("prepared 10 pictures")
    assert (output / shard.file).read_bytes() == content
    run_in_process("prepare_data", "--verify", f"--output=file://{output}")
    verified = capsys.readouterr().out
    assert verified == f"intact: 10 pictures of 16x16 in file://{output}\n"


def test_finished_is_left_alone(mixed, prepared):
    before = {path: path.stat().st_mtime_ns for path in prepared.iterdir()}
    manifest, done_now = prepare.prepare_pictures(mixed, prepared, 16)
    assert not done_now and manifest.count == 10
    assert before == {path: path.stat().st_mtime_ns for path in prepared.iterdir()}
    with pytest.raises(UserError, match="3 files were skipped, see .*skipped.csv"):
        prepare.prepare_pictures(mixed, prepared, 16, strict=True)


def test_other_settings_or_source_are_refused(mixed, prepared, tmp_path):
    with pytest.raises(UserError, match="prepared at resolution 16, not 32"):
        prepare.prepare_pictures(mixed, prepared, 32)
    other = write_pictures(tmp_path / "other", 2)
    with pytest.raises(UserError, match="prepared from 'mixed', not 'other'"):
        prepare.prepare_pictures(other, prepared, 16)
    changed = tmp_path / "mixed"
    shutil.copytree(mixed, changed)
    (changed / "a" / "000.png").unlink()
    with pytest.raises(UserError, match="from 'mixed' before files in it changed"):
        prepare.prepare_pictures(changed, prepared, 16)


def test_damaged_results_are_mended(mixed, prepared, tmp_path):
    copy = shutil.copytree(prepared, tmp_path / "copy")
    flipped = copy / "pictures-00001-of-00004.tfrecord"
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    (copy / "pictures-00003-of-00004.tfrecord").unlink()
    intact = copy / "pictures-00000-of-00004.tfrecord"
    before = written(intact)
    _, done_now = prepare.prepare_pictures(mixed, copy, 16, pictures_per_shard=4)
    assert done_now
    assert contents(copy) == contents(prepared)
    assert written(intact) == before


def test_what_cannot_be_mended_is_to_be_deleted(mixed, prepared, tmp_path):
    copy = shutil.copytree(prepared, tmp_path / "copy")
    shard = copy / "pictures-00001-of-00004.tfrecord"
    shard.unlink()
    with pytest.raises(UserError, match=f"number of pictures per shard; delete {copy}"):
        prepare.prepare_pictures(mixed, copy, 16)
    # Of the same size as the former one, and therefore not noticed before.
    other = shutil.copytree(mixed, tmp_path / "mixed")
    content = bytearray((other / "b" / "000.png").read_bytes())
    (other / "b" / "000.png").write_bytes(content[:-1] + b"?")
    (other / "b" / "001.png").write_bytes((other / "b" / "000.png").read_bytes())
    shard.write_bytes(b"damaged")
    with pytest.raises(UserError, match=f"differs from what it held; delete {copy}"):
        prepare.prepare_pictures(other, copy, 16, pictures_per_shard=4)
    assert shard.read_bytes() == b"damaged"
    (copy / "dataset.json").write_text("{")
    with pytest.raises(UserError, match=f"dataset.json is not JSON: .*delete {copy}"):
        prepare.prepare_pictures(mixed, copy, 16)


def test_a_finished_folder_need_not_be_writable(mixed, prepared, monkeypatch):
    def refuse(folder):
        raise PermissionError

    monkeypatch.setattr(prepare, "exclusive", refuse)
    assert not prepare.prepare_pictures(mixed, prepared, 16)[1]


def test_two_preparations_into_one_folder(mixed, tmp_path):
    output = tmp_path / "output"
    with (
        files.exclusive(output),
        pytest.raises(UserError, match=f"{output} is in use by another program"),
    ):
        prepare.prepare_pictures(mixed, output, 16)
    assert prepare.prepare_pictures(mixed, output, 16)[1]
    assert ".lock" not in contents(output)


KILLED_WORKER = """
import multiprocessing, os, signal, sys
from tf_unsup3d.data import pictures, prepare
from tf_unsup3d.errors import UserError

def load_picture(content, resolution, original=pictures.load_picture):
    if content == b"fatal":
        os.kill(os.getpid(), signal.SIGKILL)
    return original(content, resolution)

# Spawned workers run this, too.
pictures.load_picture = load_picture
if __name__ == "__main__":
    for _ in range(3):
        try:
            prepare.prepare_pictures(*sys.argv[1:3], 16)
        except UserError as error:
            print(error)
"""


def test_a_file_that_kills_workers_is_named_and_then_left_out(tmp_path):
    source, output = write_pictures(tmp_path / "source", 3), tmp_path / "output"
    (source / "bomb.png").write_bytes(b"fatal")
    program = tmp_path / "program.py"
    program.write_text(KILLED_WORKER)
    result = subprocess.run(
        [sys.executable, program, source, output],
        capture_output=True,
        text=True,
        timeout=HANG,
    )
    assert result.returncode == 0, result.stderr
    message = f"ended abruptly while it read bomb.png of {source}, perhaps"
    assert [message in line for line in result.stdout.splitlines()] == [True] * 2
    assert manifests.read_manifest(output).count == 3
    assert (
        "bomb.png,worker processes were killed" in (output / "skipped.csv").read_text()
    )


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_stopped_between_any_two_shards(mixed, prepared, tmp_path, monkeypatch, scheme):
    output = tmp_path / "output"
    write_shard, written = shards.write_shard, []

    def write_one(folder, name, outcomes):
        if written:
            raise KeyboardInterrupt
        written.append(name)
        return write_shard(folder, name, outcomes)

    monkeypatch.setattr(shards, "write_shard", write_one)
    if scheme:
        # Processes would take seconds to import TensorFlow, through which they read.
        monkeypatch.setattr(
            concurrent.futures,
            "ProcessPoolExecutor",
            lambda **_: concurrent.futures.ThreadPoolExecutor(1),
        )
    for index in range(4):
        written.clear()
        stopped = pytest.raises(KeyboardInterrupt)
        with stopped if index < 3 else contextlib.nullcontext():
            prepare.prepare_pictures(
                f"{scheme}{mixed}", f"{scheme}{output}", 16, pictures_per_shard=4
            )
        assert written == [f"pictures-{index:05d}-of-00004.tfrecord"]
    assert contents(output) == contents(prepared)


KILLED = """
import os, signal, sys
from tf_unsup3d.data import prepare, shards

def killing(outcomes):
    yield next(outcomes)
    os.kill(os.getpid(), signal.SIGKILL)

def write_shard(output, name, outcomes, original=shards.write_shard):
    if name.startswith("pictures-00002-"):
        outcomes = killing(outcomes)
    return original(output, name, outcomes)

if __name__ == "__main__":
    shards.write_shard = write_shard
    prepare.prepare_pictures(*sys.argv[1:3], 16, pictures_per_shard=4)
"""


def written(path):
    """What changes when a file is written but not when it is read."""
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns


def test_killed_in_the_middle_of_a_shard(mixed, prepared, tmp_path):
    killed = tmp_path / "killed"
    # Ends only when the workers, which share the pipes, have ended as well.
    program = subprocess.run(
        [sys.executable, "-c", KILLED, os.fspath(mixed), os.fspath(killed)],
        capture_output=True,
        timeout=HANG,
    )
    assert program.returncode == -signal.SIGKILL, program.stderr
    shards = {path: written(path) for path in killed.glob("pictures-*")}
    assert [path.name for path in sorted(shards)] == [
        f"pictures-{index:05d}-of-00004.tfrecord" for index in range(2)
    ]
    assert len(list(killed.glob(".partial-*"))) == 1
    assert not (killed / "dataset.json").exists()
    with pytest.raises(UserError, match="at resolution 16, not 32"):
        prepare.prepare_pictures(mixed, killed, 32, pictures_per_shard=4)

    _, done_now = prepare.prepare_pictures(mixed, killed, 16, pictures_per_shard=4)
    assert done_now
    assert contents(killed) == contents(prepared)
    assert {path: written(path) for path in shards} == shards


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory):
    """A source and its preparation of two shards, stopped before the last step."""

    def stop(*arguments):
        raise KeyboardInterrupt

    folder = tmp_path_factory.mktemp("stopped")
    source, output = write_pictures(folder / "source", 8), folder / "output"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "_finish", stop)
        with pytest.raises(KeyboardInterrupt):
            prepare.prepare_pictures(source, output, 16, pictures_per_shard=4)
    return source, output


@pytest.fixture
def stopped(stopped_once, tmp_path):
    """The source, and a copy of the stopped preparation to damage."""
    source, output = stopped_once
    return source, shutil.copytree(output, tmp_path / "output")


def test_a_shard_damaged_while_stopped_is_written_again(stopped):
    source, output = stopped
    shard = output / "pictures-00001-of-00002.tfrecord"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1])
    manifest, _ = prepare.prepare_pictures(source, output, 16, pictures_per_shard=4)
    assert shard.read_bytes() == content
    assert manifests.damaged_shards(output, manifest) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda note: [],
        lambda note: {},
        lambda note: note | {"shard": None},
        lambda note: note | {"shard": note["shard"] | {"file": "../x"}},
        lambda note: note | {"shard": note["shard"] | {"count": 3}},
        lambda note: note | {"checksums": 4},
        lambda note: note | {"checksums": [1, 2, 3, 4]},
        lambda note: note | {"checksums": note["checksums"][:3]},
        lambda note: note | {"skipped": None},
        lambda note: note | {"skipped": [["a"]]},
        lambda note: note | {"skipped": [["a", 3]]},
    ],
)
def test_a_damaged_note_is_not_used(stopped, damage):
    _, output = stopped
    name = "pictures-00000-of-00002.tfrecord"
    assert shards.is_finished(output, name)
    assert shards.read_note(output, name).shard.count == 4
    note = output / ".preparation" / f"{name}.json"
    note.write_text(json.dumps(damage(json.loads(note.read_text()))))
    assert not shards.is_finished(output, name)
    note.write_bytes(b"\xff")
    assert not shards.is_finished(output, name)


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("format_version", "1", ": format_version is '1', not an integer"),
        ("resolution", [16], r": resolution is \[16\], not an integer"),
        ("resolution", None, ": resolution is None, not an integer"),
        ("source", 3, ": source is 3, not a string"),
        ("source_checksum", "abc", ": source_checksum is 'abc', not a SHA-256"),
        ("pictures_per_shard", True, ": pictures_per_shard is True, not an integer"),
        ("format_version", 99, None),
        ("pictures_per_shard", 5, None),
    ],
)
def test_wrong_settings_of_a_stopped_preparation(stopped, field, value, fault):
    source, output = stopped
    path = output / ".preparation" / "settings.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    message = f"^{path}{fault}.*; delete {output}$" if fault else "prepared (by|with)"
    with pytest.raises(UserError, match=message):
        prepare.prepare_pictures(source, output, 16, pictures_per_shard=4)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_damaged_settings_of_a_stopped_preparation(stopped, content):
    source, output = stopped
    path = output / ".preparation" / "settings.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{path} ") as error:
        prepare.prepare_pictures(source, output, 16, pictures_per_shard=4)
    assert "\n" not in str(error.value)


def test_strict_stops_at_the_first_bad_file(mixed, tmp_path, capsys):
    output = tmp_path / "output"
    with pytest.raises(UserError, match="mixed: b/cut.jpg: damaged") as error:
        prepare.prepare_pictures(mixed, output, 16, strict=True, pictures_per_shard=4)
    assert "\n" not in str(error.value)
    assert not output.exists()
    # The progress bar leaves the error message a line of its own.
    assert capsys.readouterr().err.endswith("\n")


def test_strict_leaves_what_was_prepared_before(mixed, tmp_path, monkeypatch):
    output = tmp_path / "out"
    write_shard = shards.write_shard

    def write_two(output, name, outcomes, **arguments):
        if "00002" in name:
            raise KeyboardInterrupt
        return write_shard(output, name, outcomes, **arguments)

    monkeypatch.setattr(shards, "write_shard", write_two)
    with pytest.raises(KeyboardInterrupt):
        prepare.prepare_pictures(mixed, output, 16, pictures_per_shard=4)
    monkeypatch.setattr(shards, "write_shard", write_shard)
    before = {path: written(path) for path in output.glob("pictures-*")}
    assert len(before) == 2
    with pytest.raises(UserError):
        prepare.prepare_pictures(mixed, output, 16, strict=True, pictures_per_shard=4)
    assert {path: written(path) for path in before} == before


def test_strict_accepts_good_pictures(tmp_path):
    source = write_pictures(tmp_path / "source", 3)
    manifest, _ = prepare.prepare_pictures(source, tmp_path / "out", 16, strict=True)
    assert manifest.count == 3
    assert (tmp_path / "out" / "skipped.csv").read_text() == "path,reason\n"


def test_no_picture_among_the_files(tmp_path):
    source = tmp_path / "texts"
    source.mkdir()
    for name in ("a.txt", "b.txt"):
        (source / name).write_text("text")
    with pytest.raises(UserError, match="none of its 2 files .*a.txt: not a picture"):
        prepare.prepare_pictures(source, tmp_path / "output", 16)
    assert not (tmp_path / "output").exists()


def test_bad_outputs(mixed, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UserError, match="file is a file, not a folder"):
        prepare.prepare_pictures(mixed, file, 16)
    for output in (mixed, mixed / "prepared", mixed / "a" / ".." / "c"):
        with pytest.raises(UserError, match="lies inside the input"):
            prepare.prepare_pictures(mixed, output, 16)
    with pytest.raises(UserError, match="already holds other files"):
        prepare.prepare_pictures(mixed, tmp_path, 16)
    assert file.read_text() == "mine"
    # The first is refused to everybody, root too; the second lies below a file.
    for output in ("/proc/unsup3d", file / "prepared"):
        with pytest.raises(UserError, match=f"cannot write {output}: "):
            prepare.prepare_pictures(mixed, output, 16)


def test_a_full_disk_is_one_clear_line(mixed, tmp_path, monkeypatch):
    class FullDisk:
        def __init__(self, path):
            raise tf.errors.ResourceExhaustedError(None, None, "No space left")

    monkeypatch.setattr(tf.io, "TFRecordWriter", FullDisk)
    with pytest.raises(
        UserError,
        match="cannot write .*/pictures-00000-of-00001.tfrecord: No space left",
    ):
        prepare.prepare_pictures(mixed, tmp_path / "output", 16)


def run_program(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tf_unsup3d.programs.prepare_data"]
        + [str(argument) for argument in arguments],
        capture_output=True,
        text=True,
        timeout=HANG,
    )


def test_program(mixed, tmp_path, run_in_process, capsys):
    output = tmp_path / "output"
    arguments = [f"--input={mixed}", f"--output={output}", "--resolution=16"]
    first = run_program(*arguments)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("prepared 10 pictures of 16x16 in ")
    assert "3 files skipped (see " in first.stdout
    assert "13/13" in first.stderr
    run_in_process("prepare_data", *arguments)
    assert capsys.readouterr().out.startswith("already prepared: 10 pictures")
    run_in_process("prepare_data", "--verify", f"--output={output}")
    verified = capsys.readouterr().out
    assert verified == f"intact: 10 pictures of 16x16 in {output}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resolution=48"], "resolution 48 is not a power of two"),
        (["--output=/proc/unsup3d"], "cannot write /proc/unsup3d: "),
    ],
)
def test_bad_flags_are_named(mixed, tmp_path, run_in_process, arguments, message):
    defaults = [f"--input={mixed}", f"--output={tmp_path / 'o'}", "--resolution=16"]
    with pytest.raises(UserError, match=message):
        run_in_process("prepare_data", *defaults, *arguments)


def test_program_ends_with_one_clear_line(tmp_path):
    result = run_program("--input=missing", f"--output={tmp_path}", "--resolution=16")
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and "missing does not exist" in line


def test_worker_processes_do_without_tensorflow():
    """They import the modules of the main program."""
    code = "import sys, tf_unsup3d.programs.prepare_data; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG
    )
    modules = result.stdout.split()
    assert "tf_unsup3d.data.workers" in modules, result.stderr
    assert "tensorflow" not in modules


def test_encrypted_members_are_named(tmp_path):
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.png", b"secret")
    content = bytearray(archive.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(UserError, match="a.png: cannot be read from the archive"):
        prepare.prepare_pictures(archive, tmp_path / "output", 16)
