"""The Python examples of the README run."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(
        rf"^ *```{language}\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE
    )


def test_a_trained_model_is_used_in_ten_lines(run_example, tmp_path):
    example, _ = blocks("python")
    shapes = """
assert views.shape == (2, 64, 64, 3) and between.vertices.shape == (1, 4098, 3)
assert vertices.shape == (2, 4098, 3) and triangles.shape == (8192, 3)
assert uv.shape[1] == 2 and texture.shape == (2, 64, 64, 3)
assert {name: value.shape for name, value in maps.items()} == {
    "picture": (2, 256, 256, 3),
    "depth": (2, 256, 256, 1),
    "normals": (2, 256, 256, 3),
    "mask": (2, 256, 256, 1),
}
# The wide view shows the whole head: nothing reaches the left, right or upper border.
mask = maps["mask"][..., 0]
assert max(mask[:, 0].max(), mask[:, :, 0].max(), mask[:, :, -1].max()) == 0.0
"""
    run_example(example + shapes)
    assert (tmp_path / "face.glb").stat().st_size > 100_000


def test_the_renderer_is_used_by_itself(run_example, tmp_path):
    _, example = blocks("python")
    output = run_example(example)
    area, derivative = map(float, re.findall(r"\d+\.\d+", output))
    # A ball of radius r covers a disc of radius r / 2 of the picture's height, nearly.
    assert area == pytest.approx(0.25 * 3.1416 * 0.5**2, rel=0.05)
    assert derivative == pytest.approx(0.5 * 3.1416 * 0.5, rel=0.05)
    assert (tmp_path / "ball.png").stat().st_size > 1000
