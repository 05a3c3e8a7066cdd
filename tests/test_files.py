import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import replacing, write_bytes


def test_older_file_is_replaced(tmp_path):
    write_bytes(tmp_path / "a" / "b.bin", b"old")
    write_bytes(tmp_path / "a" / "b.bin", b"new")
    assert (tmp_path / "a" / "b.bin").read_bytes() == b"new"
    assert len(list((tmp_path / "a").iterdir())) == 1


def test_interrupted_write_leaves_the_older_file(tmp_path):
    path = tmp_path / "b.bin"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        assert temporary.suffix == ".bin"
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["file/b.bin", "folder.bin"])
def test_unwritable_path_is_named(tmp_path, place):
    (tmp_path / "file").touch()
    (tmp_path / "folder.bin").mkdir()
    with pytest.raises(UserError, match=f"cannot write {tmp_path / place}: "):
        write_bytes(tmp_path / place, b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.bin"]
