import hashlib
import json
import math
import os

import numpy as np
import pytest

from tf_unsup3d import files
from tf_unsup3d.errors import UserError
from tf_unsup3d.gfile_path import GFilePath


def test_an_older_file_is_replaced(tmp_path):
    path = tmp_path / "a" / "b.bin"
    files.write_bytes(path, b"old")
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("full"), UserError("no")])
def test_an_interrupted_write_leaves_the_older_file(tmp_path, error):
    path = tmp_path / "b.bin"
    path.write_bytes(b"old")
    with (
        pytest.raises((KeyboardInterrupt, UserError)),
        files.replacing(path) as temporary,
    ):
        assert temporary.suffix == ".bin" and temporary.parent == tmp_path
        temporary.write_bytes(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_the_disk_before_the_file_has_its_name(tmp_path, monkeypatch):
    path, steps = tmp_path / "b.bin", []
    fsync, replace = files.os.fsync, files.os.replace

    def record_fsync(descriptor):
        steps.append("fsync")
        fsync(descriptor)

    def record_replace(*paths):
        steps.append("replace")
        replace(*paths)

    monkeypatch.setattr(files.os, "fsync", record_fsync)
    monkeypatch.setattr(files.os, "replace", record_replace)
    files.write_bytes(path, b"content")
    assert steps == ["fsync", "replace"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a" / "folder"
    with files.creating_folder(path) as temporary:
        (temporary / "b.bin").touch()
        assert not path.exists()
    assert [found.name for found in path.iterdir()] == ["b.bin"]
    other = path.with_name("other")
    with pytest.raises(KeyboardInterrupt), files.creating_folder(other) as temporary:
        (temporary / "b.bin").touch()
        raise KeyboardInterrupt
    other.mkdir()
    for taken in (path, other):
        with (
            pytest.raises(UserError, match=f"cannot write {taken}: File exists"),
            files.creating_folder(taken),
        ):
            pass
    assert list(path.parent.glob(".*")) == [] and list(other.iterdir()) == []


@pytest.mark.parametrize("place", ["file/b.bin", "folder.bin"])
def test_an_unwritable_path_is_named(tmp_path, place):
    (tmp_path / "file").touch()
    (tmp_path / "folder.bin").mkdir()
    with pytest.raises(UserError, match=f"^cannot write {tmp_path / place}: "):
        files.write_bytes(tmp_path / place, b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.bin"]


def test_whether_a_folder_can_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "a" / "b", "a", "."):
        files.check_writable(folder)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write .*file/a: Not a directory"):
        files.check_writable(tmp_path / "file" / "a")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UserError, match="cannot write .*a: Permission denied"):
        files.check_writable(tmp_path / "a")


def test_an_error_without_a_reason_of_the_system_keeps_its_own(tmp_path):
    with (
        pytest.raises(UserError, match="^cannot write .*a: no such codec$"),
        files.writing(tmp_path / "a"),
    ):
        raise OSError("no such codec")


def test_leftovers_of_killed_programs_are_removed(tmp_path, monkeypatch):
    kept = tmp_path / "kept.bin"
    files.write_bytes(kept, b"")
    with monkeypatch.context() as killed:
        killed.setattr(files.pathlib.Path, "unlink", lambda path, missing_ok: None)
        with pytest.raises(KeyboardInterrupt), files.replacing(kept) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt
    assert len(list(tmp_path.iterdir())) == 2
    files.remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [kept]
    files.remove_leftovers(tmp_path / "missing")


def test_the_companion_of_a_folder_elsewhere_is_private(tmp_path, monkeypatch):
    monkeypatch.setattr(files.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = files.local_companion(GFilePath("gs://bucket/photos"))
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
    (tmp_path / "theirs").mkdir()
    folder.symlink_to(tmp_path / "theirs")
    with pytest.raises(UserError, match="it belongs to somebody else"):
        files.local_companion(GFilePath("gs://bucket/photos"))


def test_text_is_utf_8(tmp_path):
    files.write_text(tmp_path / "a.txt", "é\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa9\n"
    # Of a file name in another encoding.
    files.write_text(tmp_path / "b.txt", b"\xff".decode(errors="surrogateescape"))
    assert (tmp_path / "b.txt").read_bytes() == rb"\udcff"


def test_json_is_read_as_it_was_written(tmp_path):
    value = {"name": "é", "numbers": [1, 2.5, None], "inner": {"true": True}}
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value
    text = (tmp_path / "a.json").read_text()
    assert text == json.dumps(value, indent=2) + "\n"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is not JSON: Expecting value"),
        (b"{", "is not JSON"),
        (b'{"a": 1} {"a": 2}', "is not JSON: Extra data"),
        (b'{"a": ' + b"1" * 5000 + b"}", "is not JSON"),
        (b'{"a": ' * 100_000, "nests its values too deeply"),
        (b"[" * 100_000, "nests its values too deeply"),
        (b'{"a": "\xff"}', "is not UTF-8 text"),
        (b"[]", "does not hold a JSON object"),
        (b"null", "does not hold a JSON object"),
        (b"NaN", "does not hold a JSON object"),
    ],
)
def test_a_file_that_is_not_a_json_object_is_named(tmp_path, content, fault):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{path} {fault}") as error:
        files.read_json(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("read", [files.read_json, files.file_checksum])
def test_an_unreadable_file_is_named(tmp_path, read):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(UserError, match=f"^cannot read {path}: "):
            read(path)


def test_the_checksum_is_that_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    expected = hashlib.sha256(b"content").hexdigest()
    assert files.file_checksum(tmp_path / "a") == expected


def test_numbers_that_are_not_finite_become_null():
    value = {"a": math.nan, "b": [1.5, (np.float64("inf"), -math.inf), True], "c": "x"}
    found = files.without_nan(value)
    assert found == {"a": None, "b": [1.5, [None, None], True], "c": "x"}
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert math.isnan(value["a"])
