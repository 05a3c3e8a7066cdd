"""Sheets: pictures in rows and columns, with titles."""

import os
from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from tf_unsup3d.files import replacing

SMALLEST_PICTURE = 96
GUTTER = 4
FONT_SIZE = 15


def compose_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    background: tuple[int, int, int] = (255, 255, 255),
) -> np.ndarray:
    """Lays pictures out in rows and columns.

    Columns are as wide and rows as high as their largest picture; smaller ones stand
    in the middle of their cell. Pictures with a side below `SMALLEST_PICTURE` pixels
    are enlarged by a whole factor. Rows may have different lengths.

    Args:
      rows: pictures, each [height, width, 3] uint8 of any size.
      column_titles: text above each column; none leaves no space for it.
      row_labels: text left of each row; none leaves no space for it.
      background: colour between the pictures.

    Returns:
      [height, width, 3] uint8.

    Raises:
      ValueError: there are no pictures, one is not [height, width, 3] uint8, or there
        are more titles than columns or more labels than rows.
    """
    rows = [[_enlarged(picture) for picture in row] for row in rows]
    columns = max((len(row) for row in rows), default=0)
    if columns == 0:
        raise ValueError("a sheet needs at least one picture")
    if len(column_titles) > columns or len(row_labels) > len(rows):
        raise ValueError(
            f"{len(column_titles)} titles and {len(row_labels)} labels do not fit"
            f" {columns} columns and {len(rows)} rows"
        )

    font = PIL.ImageFont.load_default(FONT_SIZE)
    titles = [*column_titles, *[""] * (columns - len(column_titles))]
    labels = [*row_labels, *[""] * (len(rows) - len(row_labels))]
    widths = [
        max(_text_width(font, title), *(row[c].width for row in rows if c < len(row)))
        for c, title in enumerate(titles)
    ]
    heights = [
        max([FONT_SIZE if label else 0, *(picture.height for picture in row)])
        for row, label in zip(rows, labels, strict=True)
    ]
    left = max(_text_width(font, label) for label in labels)
    lefts = np.cumsum([left + (2 * GUTTER if left else GUTTER), *_spaced(widths)])
    tops = np.cumsum([(2 * FONT_SIZE if column_titles else GUTTER), *_spaced(heights)])

    sheet = PIL.Image.new("RGB", (int(lefts[-1]), int(tops[-1])), background)
    draw = PIL.ImageDraw.Draw(sheet)
    ink = (0, 0, 0) if sum(background) > 382 else (255, 255, 255)
    for c, title in enumerate(titles):
        middle = (int(lefts[c]) + widths[c] / 2, FONT_SIZE)
        draw.text(middle, title, ink, font, anchor="mm")
    for r, (row, label) in enumerate(zip(rows, labels, strict=True)):
        middle = (GUTTER, int(tops[r]) + heights[r] / 2)
        draw.text(middle, label, ink, font, anchor="lm")
        for c, picture in enumerate(row):
            x = int(lefts[c]) + (widths[c] - picture.width) // 2
            y = int(tops[r]) + (heights[r] - picture.height) // 2
            sheet.paste(picture, (x, y))
    return np.asarray(sheet)


def write_png(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Writes a picture as PNG.

    Args:
      path: file to write; its folder is made when missing.
      picture: [height, width, 3] uint8.

    Raises:
      UserError: the file cannot be written.
    """
    with replacing(path) as temporary:
        PIL.Image.fromarray(picture).save(temporary, format="PNG")


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


def _text_width(font, text: str) -> int:
    return int(np.ceil(font.getlength(text)))


def _spaced(lengths: Sequence[int]) -> list[int]:
    return [length + GUTTER for length in lengths]
