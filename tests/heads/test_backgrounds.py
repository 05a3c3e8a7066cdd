import numpy as np
import pytest
from absl import logging
from PIL import Image

from tf_unsup3d.errors import UserError
from tf_unsup3d.heads.backgrounds import PictureBackgrounds, sample_background


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a.png", "sub/b.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)).save(path)
    return tmp_path


def test_made_up_backgrounds_are_smooth_and_vary():
    pictures = [sample_background(np.random.default_rng(i), 64) for i in range(12)]
    for picture in pictures:
        assert picture.shape == (64, 64, 3) and picture.dtype == np.float32
        assert picture.min() >= 0.0 and picture.max() <= 1.0
        assert np.abs(np.diff(picture, axis=0)).max() < 0.35
    assert np.std([picture.mean() for picture in pictures]) > 0.05


def test_crops_of_pictures_vary_and_are_repeatable(folder):
    draw = PictureBackgrounds(folder)
    crops = [draw(np.random.default_rng(i), 32) for i in range(6)]
    for crop in crops:
        assert crop.shape == (32, 32, 3) and crop.dtype == np.float32
        assert crop.min() >= 0.0 and crop.max() <= 1.0
    assert len({crop.tobytes() for crop in crops}) > 3
    np.testing.assert_array_equal(draw(np.random.default_rng(2), 32), crops[2])


def test_the_checksum_is_that_of_the_files(folder):
    before = PictureBackgrounds(folder).checksum
    assert PictureBackgrounds(folder).checksum == before
    (folder / "sub/b.jpg").unlink()
    assert PictureBackgrounds(folder).checksum != before


def test_what_cannot_be_a_background_is_named(folder):
    with pytest.raises(UserError, match="none is not a folder"):
        PictureBackgrounds(folder / "none")
    for path in folder.rglob("*.*"):
        path.write_text("no picture")
    message = "none of its 2 files can be used .the first: .*: not a picture in a"
    with pytest.raises(UserError, match=message):
        PictureBackgrounds(folder)(np.random.default_rng(0), 32)


def test_bad_files_are_skipped_once_and_change_no_other_background(folder, monkeypatch):
    def crops():
        draw = PictureBackgrounds(folder)
        return [draw(np.random.default_rng(seed), 32).tobytes() for seed in range(30)]

    good = folder / "a.png"
    (folder / "sub/small.png").write_bytes(good.read_bytes())
    (folder / "text.png").write_bytes(good.read_bytes())
    before = crops()
    warnings = []
    monkeypatch.setattr(
        logging, "warning", lambda text, *values: warnings.append(text % values)
    )
    # Sorted by name, these are the last two of four.
    Image.new("RGB", (19, 40)).save(folder / "sub/small.png")
    (folder / "text.png").write_text("no picture")
    after = crops()
    assert len(warnings) == 2
    assert any("small.png: too small: 19x40" in warning for warning in warnings)
    firsts = [np.random.default_rng(seed).integers(4) for seed in range(30)]
    for first, one, other in zip(firsts, before, after, strict=True):
        assert first >= 2 or one == other
    assert crops() == after
