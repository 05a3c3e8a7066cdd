"""The examples of docs/renderer_examples.md run, and converge."""

import pathlib
import re

import numpy as np
import PIL.Image
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "renderer_examples.md").read_text()
MESH_FILE, FIT, CAMERA = re.findall(
    r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE
)


def numbers(line):
    return [float(number) for number in re.findall(r"\d+\.?\d*", line)]


def test_mesh_file(run_example, tmp_path):
    output = run_example(MESH_FILE)
    fragments, covered = numbers(output)
    assert 0.6 < covered < np.pi / 4  # of the disc that the unit ball would cover
    # Every covered pixel has one, and soft ones are few: no seam is an outline.
    assert 1 < fragments / (256**2 * covered) < 1.04
    sheet = np.asarray(PIL.Image.open(tmp_path / "lump.png"))
    assert sheet.shape == (256, 4 * 256, 3)
    texture, normals, depth, mask = np.split(sheet, 4, axis=1)
    assert np.mean(mask) == pytest.approx(255 * covered, abs=1)
    # The background is white, and black under depth and mask.
    assert np.all(texture[0, 0] == 255) and np.all(normals[0, 0] == 255)
    assert not np.any(depth[0, 0])
    # Yellow and blue, both well lit somewhere; the nearest part faces the camera.
    red, blue = texture[..., 0].astype(int), texture[..., 2].astype(int)
    inside = mask[..., 0] == 255
    assert np.mean((red - blue > 60) & inside) > 0.15
    assert np.mean((blue - red > 40) & inside) > 0.15
    nearest = np.unravel_index(np.argmax(depth[..., 0]), depth.shape[:2])
    assert normals[nearest][2] > 240


def test_fit(run_example, tmp_path):
    lines = run_example(FIT).splitlines()[1:]
    errors = np.array([numbers(line)[1:] for line in lines])
    assert len(errors) == 7
    pictures, unseen, surface = errors[-1] / errors[0]
    assert pictures < 0.08
    assert unseen < 0.16
    assert surface < 0.03
    rows = np.asarray(PIL.Image.open(tmp_path / "fit.png")).astype(float)
    before, after, truth = np.split(rows, 3)
    assert np.std(after - truth) < 0.12 * np.std(before - truth)


def test_camera(run_example):
    lines = run_example(CAMERA).splitlines()
    (_, degrees, offset), *_, (_, final_degrees, final_offset) = map(numbers, lines)
    assert degrees > 20 and offset == 0.2
    assert final_degrees < 0.05
    assert final_offset < 1e-3
