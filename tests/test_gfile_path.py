"""Paths with a scheme behave as paths of pathlib do."""

import errno
import hashlib
import io
import os
import pathlib
import pickle
import zipfile

import pytest
import tensorflow as tf

from tf_unsup3d import files
from tf_unsup3d.errors import UserError
from tf_unsup3d.gfile_path import GFilePath, to_path


@pytest.fixture(params=["ram", "file", "pathlib"])
def folder(request, tmp_path):
    """An empty folder, through each file system."""
    if request.param == "ram":
        folder = GFilePath(f"ram://{tmp_path}")
        folder.mkdir()
        return folder
    return GFilePath(f"file://{tmp_path}") if request.param == "file" else tmp_path


def test_only_a_scheme_makes_the_difference():
    assert to_path("gs://bucket/a") == GFilePath("gs://bucket/a")
    assert to_path(GFilePath("gs://bucket/a")) == GFilePath("gs://bucket/a")
    for local in ("a", "/a:b", "c:/a", "./gs:/a"):
        assert to_path(local) == pathlib.Path(local)
    with pytest.raises(ValueError, match="no scheme"):
        GFilePath("bucket/a")


def test_parts():
    path = GFilePath("gs://bucket/a//b.tar.gz/")
    assert str(path) == os.fspath(path) == "gs://bucket/a/b.tar.gz"
    assert (path.name, path.suffix) == ("b.tar.gz", ".gz")
    assert str(path.with_name("c")) == "gs://bucket/a/c"
    assert list(map(str, path.parents)) == ["gs://bucket/a", "gs://bucket"]
    assert str(GFilePath("file:///a") / "b") == "file:///a/b"
    assert list(map(str, GFilePath("file:///a/b").parents)) == ["file:///a", "file:///"]
    assert pickle.loads(pickle.dumps(path)) == path
    assert len({path, GFilePath(str(path))}) == 1


def test_files(folder):
    path = folder / "a.txt"
    assert not path.exists() and not path.is_file()
    path.write_bytes(b"content")
    assert path.exists() and path.is_file() and not path.is_dir()
    assert path.read_bytes() == b"content"
    assert path.stat().st_size == 7
    assert [found.name for found in folder.iterdir()] == ["a.txt"]
    (folder / "b.txt").write_bytes(b"other")
    path.replace(folder / "b.txt")
    assert not path.exists()
    assert (folder / "b.txt").read_bytes() == b"content"
    (folder / "b.txt").unlink()
    (folder / "b.txt").unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        (folder / "b.txt").unlink()


def test_the_time_of_a_change(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    os.utime(path, (7, 7))
    assert GFilePath(f"file://{path}").stat().st_mtime_ns == 7 * 10**9


def test_folders(folder):
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    inner.mkdir(parents=True, exist_ok=True)
    with pytest.raises(FileExistsError):
        inner.mkdir()
    assert inner.is_dir() and inner.exists() and not inner.is_file()
    (inner / "x-1").write_bytes(b"")
    (inner / "x-2").write_bytes(b"")
    (inner / "y").write_bytes(b"")
    assert sorted(path.name for path in inner.glob("x-*")) == ["x-1", "x-2"]
    assert list((folder / "none").glob("*")) == []
    with pytest.raises(OSError) as caught:
        inner.rmdir()
    assert caught.value.errno == errno.ENOTEMPTY
    for name in ("x-1", "x-2", "y"):
        (inner / name).unlink()
    inner.rmdir()
    assert not inner.exists()
    (folder / "a" / "z").write_bytes(b"")
    files.remove_folder(folder / "a")
    files.remove_folder(folder / "a")
    assert not (folder / "a").exists()


def test_reading_in_pieces(folder):
    path = folder / "a"
    content = bytes(range(256)) * 8192
    path.write_bytes(content)
    with path.open("rb") as file:
        assert file.seekable() and file.read(3) == content[:3]
        assert file.seek(-5, os.SEEK_END) == len(content) - 5
        assert file.read() == content[-5:]
        assert file.seek(1000) == file.tell() == 1000
        assert file.seek(24, os.SEEK_CUR) == 1024
        assert file.read(2**21) == content[1024:]
        with pytest.raises(OSError):
            file.seek(-1)
    assert files.file_checksum(path) == hashlib.sha256(content).hexdigest()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("b", content)
    path.unlink()  # `ram://` would append to it.
    path.write_bytes(archive.getvalue())
    with path.open("rb") as file, zipfile.ZipFile(file) as opened:
        assert opened.read("b") == content


def test_what_is_missing(folder):
    path = folder / "none"
    for fail in (path.read_bytes, path.stat, lambda: list(path.iterdir())):
        with pytest.raises(FileNotFoundError) as caught:
            fail()
        assert caught.value.strerror == "No such file or directory"
    message = f"cannot read {path}: No such file or directory"
    for read in (files.read_json, files.file_checksum):
        with pytest.raises(UserError) as failed:
            read(path)
        assert str(failed.value) == message


def test_whole_files_are_written(folder):
    path = folder / "new" / "a.json"
    files.write_json(path, {"a": 1})
    assert files.read_json(path) == {"a": 1}
    with pytest.raises(KeyError), files.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyError
    assert files.read_json(path) == {"a": 1}
    assert [found.name for found in path.parent.iterdir()] == ["a.json"]
    (path.parent / ".partial-1").write_bytes(b"half")
    files.remove_leftovers(path.parent)
    assert [found.name for found in path.parent.iterdir()] == ["a.json"]


def test_one_program_at_a_time(folder):
    with files.exclusive(folder), pytest.raises(UserError) as caught:
        files.exclusive(folder).__enter__()
    assert str(caught.value) == (
        f"{folder} is in use by another program (process {os.getpid()})"
    )
    with files.exclusive(folder):
        assert len(list(folder.iterdir())) == int(isinstance(folder, pathlib.Path))


def test_other_systems_are_refused_in_a_line():
    path = to_path("nowhere://bucket/a")
    with pytest.raises(UserError) as caught:
        files.read_json(path)
    assert str(caught.value) == (
        "cannot read nowhere://bucket/a: File system scheme 'nowhere' not implemented "
        "(file: 'nowhere://bucket/a')"
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (tf.errors.PermissionDeniedError, PermissionError),
        (tf.errors.AlreadyExistsError, FileExistsError),
        (tf.errors.UnavailableError, OSError),
    ],
)
def test_errors_are_those_of_python(monkeypatch, error, expected):
    def fail(path):
        raise error(None, None, "of the\n\tnetwork")

    monkeypatch.setattr(tf.io.gfile, "listdir", fail)
    with pytest.raises(expected) as caught:
        GFilePath("gs://bucket").iterdir()
    if expected is OSError:
        assert caught.value.strerror == "of the network"
