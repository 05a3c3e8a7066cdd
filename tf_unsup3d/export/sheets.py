"""Sheets: pictures in rows and columns, with titles and labels."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

# A picture with a shorter side, in pixels, is enlarged.
SMALLEST_PICTURE = 96
# Pixels between two pictures, and around the sheet.
GUTTER = 4
# Height of the letters of titles and labels in pixels.
FONT_SIZE = 15

_Font = PIL.ImageFont.ImageFont | PIL.ImageFont.FreeTypeFont
_PAPER = (255, 255, 255)
_INK = (0, 0, 0)


def compose_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str] = (),
    row_labels: Sequence[str] = (),
) -> np.ndarray:
    """Lays pictures out in rows and columns on white.

    Each column is as wide, and each row as high, as its largest picture; smaller
    pictures stand in the middle of their cells. Pictures with a side shorter than
    `SMALLEST_PICTURE` pixels are enlarged by a whole factor. Rows may have different
    lengths.

    Args:
      rows: Pictures, each `[height, width, 3]` uint8 of any size.
      column_titles: Text above each column. Without titles, no space is left for them.
      row_labels: Text to the left of each row. Without labels, no space is left for
        them.

    Returns:
      `[height, width, 3]` uint8.

    Raises:
      ValueError: There are no pictures, a picture is not `[height, width, 3]` uint8, or
        there are more titles than columns or more labels than rows.
    """
    images = [[_enlarged(picture) for picture in row] for row in rows]
    columns = max((len(row) for row in images), default=0)
    if columns == 0:
        raise ValueError("a sheet needs at least one picture")
    if len(column_titles) > columns or len(row_labels) > len(images):
        raise ValueError(
            f"{len(column_titles)} titles and {len(row_labels)} labels do not fit"
            f" {columns} columns and {len(images)} rows"
        )

    font = PIL.ImageFont.load_default(FONT_SIZE)
    titles = [*column_titles, *[""] * (columns - len(column_titles))]
    labels = [*row_labels, *[""] * (len(images) - len(row_labels))]
    widths = [
        max(_text_width(font, title), *(row[c].width for row in images if c < len(row)))
        for c, title in enumerate(titles)
    ]
    heights = [
        max([FONT_SIZE if label else 0, *(image.height for image in row)])
        for row, label in zip(images, labels, strict=True)
    ]
    left = max(_text_width(font, label) for label in labels)
    lefts = np.cumsum([left + (2 * GUTTER if left else GUTTER), *_spaced(widths)])
    tops = np.cumsum([(2 * FONT_SIZE if column_titles else GUTTER), *_spaced(heights)])

    sheet = PIL.Image.new("RGB", (int(lefts[-1]), int(tops[-1])), _PAPER)
    draw = PIL.ImageDraw.Draw(sheet)
    for c, title in enumerate(titles):
        draw.text(
            (int(lefts[c]) + widths[c] / 2, FONT_SIZE), title, _INK, font, anchor="mm"
        )
    for r, (row, label) in enumerate(zip(images, labels, strict=True)):
        draw.text(
            (GUTTER, int(tops[r]) + heights[r] / 2), label, _INK, font, anchor="lm"
        )
        for c, image in enumerate(row):
            x = int(lefts[c]) + (widths[c] - image.width) // 2
            y = int(tops[r]) + (heights[r] - image.height) // 2
            sheet.paste(image, (x, y))
    return np.asarray(sheet)


def _enlarged(picture: np.ndarray) -> PIL.Image.Image:
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[-1] != 3:
        raise ValueError(
            f"a picture must be [height, width, 3] uint8, got {picture.shape}"
            f" {picture.dtype}"
        )
    height, width, _ = picture.shape
    factor = -(-SMALLEST_PICTURE // min(height, width))
    image = PIL.Image.fromarray(picture)
    return image.resize((width * factor, height * factor), PIL.Image.Resampling.NEAREST)


def _text_width(font: _Font, text: str) -> int:
    return int(np.ceil(font.getlength(text)))


def _spaced(lengths: Sequence[int]) -> list[int]:
    return [length + GUTTER for length in lengths]
