import numpy as np
import pytest

from tf_unsup3d.export import sheets

G = sheets.GUTTER


def _flat(height, width, colour):
    return np.full([height, width, 3], colour, np.uint8)


def test_bare_sheet_places_pictures_between_gutters():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, [2, 3, 100, 120, 3], np.uint8)
    sheet = sheets.compose_sheet(list(pictures))
    assert sheet.shape == (2 * 100 + 3 * G, 3 * 120 + 4 * G, 3)
    assert sheet.dtype == np.uint8
    seen = np.zeros(sheet.shape[:2], bool)
    for r in range(2):
        for c in range(3):
            top, left = G + r * (100 + G), G + c * (120 + G)
            window = np.s_[top : top + 100, left : left + 120]
            np.testing.assert_array_equal(sheet[window], pictures[r, c])
            seen[window] = True
    assert (sheet[~seen] == 255).all()


def test_small_pictures_are_enlarged_by_whole_factors():
    small = np.random.default_rng(1).integers(0, 256, [32, 40, 3], np.uint8)
    sheet = sheets.compose_sheet([[small]])
    enlarged = small.repeat(3, axis=0).repeat(3, axis=1)
    np.testing.assert_array_equal(sheet[G:-G, G:-G], enlarged)


def test_smaller_pictures_stand_in_the_middle_and_rows_may_be_shorter():
    sheet = sheets.compose_sheet(
        [[_flat(128, 128, 0), _flat(100, 110, 50)], [_flat(96, 96, 100)]]
    )
    assert sheet.shape == (128 + 96 + 3 * G, 128 + 110 + 3 * G, 3)
    rows, columns = np.nonzero(sheet[..., 0] == 50)
    assert (rows.min(), rows.max()) == (G + 14, G + 113)
    assert (columns.min(), columns.max()) == (128 + 2 * G, 128 + 2 * G + 109)
    rows, columns = np.nonzero(sheet[..., 0] == 100)
    assert (rows.min(), rows.max()) == (128 + 2 * G, 128 + 2 * G + 95)
    assert (columns.min(), columns.max()) == (G + 16, G + 16 + 95)


def test_titles_and_labels_are_drawn_beside_the_pictures():
    pictures = [[_flat(96, 96, 77)] * 2] * 2
    plain = sheets.compose_sheet(pictures)
    title = "a title that is wider than its picture"
    sheet = sheets.compose_sheet(pictures, ["normals", title], ["seed 0", "seed 12"])
    assert sheet.shape[0] > plain.shape[0] and sheet.shape[1] > plain.shape[1] + 96
    rows, columns = np.nonzero((sheet == 77).all(axis=-1))
    assert len(rows) >= 4 * 96 * 96
    written = (255 - sheet.astype(int)).sum(axis=-1) > 300
    above = written[: 2 * sheets.FONT_SIZE]
    left = written[2 * sheets.FONT_SIZE :, : columns.min()]
    assert above.sum() > 100 and left.sum() > 100
    assert not above[0].any() and not above[:, -1].any()
    # Each label stands at the height of its row.
    height = left.shape[0] // 2
    assert left[:height].any() and left[height:].any()


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="at least one picture"):
        sheets.compose_sheet([[]])
    with pytest.raises(ValueError, match="uint8, got .* float64"):
        sheets.compose_sheet([[np.zeros([96, 96, 3])]])
    with pytest.raises(ValueError, match=r"\[height, width, 3\] uint8, got \(96, 96\)"):
        sheets.compose_sheet([[np.zeros([96, 96], np.uint8)]])
    with pytest.raises(ValueError, match="2 titles and 0 labels do not fit 1 columns"):
        sheets.compose_sheet([[_flat(96, 96, 0)]], ["a", "b"])
