import zipfile

import numpy as np
import PIL.Image
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.reconstruction import inputs
from tf_unsup3d.reconstruction.inputs import check_output, read_pictures


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in ("a.png", "a.jpg", "more/b.png"):
        pixels = random.integers(0, 256, [20, 30, 3]).astype(np.uint8)
        PIL.Image.fromarray(pixels).save(folder / name)
    (folder / "note.txt").write_text("no picture")
    return folder


def test_pictures_of_a_folder_have_names_of_their_own(folder):
    pictures, skipped = read_pictures(folder, 16)
    assert [p.name for p in pictures] == ["a.jpg", "a.png", "more/b.png"]
    assert [p.stem for p in pictures] == ["a", "a_2", "more_b"]
    assert all(p.picture.shape == (16, 16, 3) for p in pictures)
    assert list(skipped) == ["note.txt"] and "not a picture" in skipped["note.txt"]


def test_a_single_picture_and_an_archive(folder, tmp_path):
    (single,), skipped = read_pictures(folder / "a.png", 16)
    assert (single.name, single.stem, skipped) == ("a.png", "a", {})
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(folder / "a.png", "a.png")
    (packed,), _ = read_pictures(archive, 16)
    np.testing.assert_array_equal(packed.picture, single.picture)


def test_no_name_in_an_archive_leads_out_of_a_folder(folder, tmp_path):
    content = (folder / "a.png").read_bytes()
    archive, output = tmp_path / "photos.zip", tmp_path / "out"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("/a/b.png", "//a/c.png", "a/b.png"):
            file.writestr(name, content)
    pictures, _ = read_pictures(archive, 16)
    assert sorted(p.stem for p in pictures) == ["a_b", "a_b_2", "a_c"]
    assert all((output / f"{p.stem}.glb").parent == output for p in pictures)


def test_long_names_are_cut_to_what_file_systems_take(folder, tmp_path):
    content = (folder / "a.png").read_bytes()
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for ending in ("b", "c"):
            # One byte, then characters of two: the cut falls into one of them.
            file.writestr(f"a{'é' * 150}{ending}.png", content)
    first, second = (p.stem for p in read_pictures(archive, 16)[0])
    assert first == "a" + 99 * "é" and second == f"{first}_2"
    (tmp_path / f"{second}.glb").write_bytes(b"")


def test_files_are_numbered_as_the_faces_are(folder, monkeypatch):
    """The second of three faces is of no use."""
    first, third = np.zeros([2, 16, 16, 3])
    monkeypatch.setattr(inputs, "_load", lambda *_: [first, "too small", third])
    pictures, skipped = read_pictures(folder / "a.png", 16)
    assert [p.name for p in pictures] == ["a.png", "a.png#3"]
    assert [p.stem for p in pictures] == ["a", "a_3"]
    assert skipped == {"a.png#2": "too small"}


def test_no_picture_is_one_line(folder, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for source, message in (
        (empty, "no pictures in .*empty: it is empty"),
        (tmp_path / "nowhere", "nowhere does not exist"),
        (folder / "note.txt", "no pictures in .*: note.txt: not a picture"),
    ):
        with pytest.raises(UserError, match=message):
            read_pictures(source, 16)


def test_results_are_not_written_among_the_pictures(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    for source, output in (
        (".", "."),
        (folder, folder / "out"),
        (folder / "a.png", folder),
        ("a.png", folder / "more" / ".."),
    ):
        with pytest.raises(UserError, match="where the pictures of --input lie"):
            check_output(source, output)
    with zipfile.ZipFile("photos.zip", "w") as file:
        file.write("a.png")
    check_output("photos.zip", folder)
    check_output(folder, tmp_path / "photos-out")
    check_output(folder / "more", folder / "out")
    check_output("a.png", "out")
