"""Draws docs/figures/soft_layer.png: python docs/figures/soft_layer.py"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering import composite, rasterize_mesh

_SIZE = 12
# Two triangles that turn counter-clockwise, in pixels about the middle.
_SQUARE = np.array([[-3.0, -3.0], [-3.0, 3.0], [3.0, 3.0], [3.0, -3.0]])
_TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def _square(angle, x, depth=1.0):
    """Homogeneous pixel coordinates [4, 3] of a turned square."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = _SQUARE @ turn + [_SIZE / 2 + x, _SIZE / 2]
    return np.concatenate([corners * depth, np.full([4, 1], depth)], -1)


def _mask(vertices, triangles, part, **options):
    """[size, size], how much of each pixel shows the first `part` triangles."""
    fragments = rasterize_mesh(
        tf.constant(vertices[None]), Mesh(triangles), _SIZE, _SIZE, **options
    )
    shown = tf.cast(fragments.triangles < part, tf.float64)[:, None]
    background = tf.zeros([1, _SIZE, _SIZE, 1], tf.float64)
    return composite(fragments, shown, background)[0, ..., 0].numpy()


def _draw_squares(axes):
    vertices = _square(0.4, 0.3)
    outline = vertices[[0, 1, 2, 3, 0], :2]
    for axis, margin in zip(axes, (0.0, 1.0), strict=True):
        axis.imshow(
            _mask(vertices, _TRIANGLES, 2, margin=margin),
            cmap="gray",
            extent=(0, _SIZE, _SIZE, 0),
            vmin=0.0,
            vmax=1.0,
        )
        axis.plot(*outline.T, "r", linewidth=1)
        axis.set_title(f"margin {margin:g}")
        axis.set_axis_off()


def _draw_passage(axis):
    """One pixel while the outline of the square passes its centre."""
    row, column = _SIZE // 2, 9
    shifts = np.linspace(-2.5, 1.5, 161)
    for margin in (0.0, 1.0, 2.0):
        values = [
            _mask(_square(0.0, x), _TRIANGLES, 2, margin=margin)[row, column]
            for x in shifts
        ]
        edge = _SIZE / 2 + 3.0 + shifts - (column + 0.5)
        axis.plot(edge, values, label=f"margin {margin:g}")
    axis.set_title("a pixel while an outline passes")
    axis.set_xlabel("outline beyond the pixel's centre, in pixels")
    axis.set_ylabel("mask")
    axis.legend(fontsize="small")


def _draw_depths(axis):
    """The same before another surface, at several depths behind the square."""
    row, column = _SIZE // 2, 10
    distances = np.linspace(0.0, 1.1, 111)
    push = 0.02
    behind = 40.0 * np.concatenate([_SQUARE, np.zeros([4, 1])], -1)
    triangles = np.concatenate([_TRIANGLES, _TRIANGLES + 4])
    for gap in (np.inf, 0.8, 0.5, 0.2):
        values = []
        for distance in distances:
            front = _square(0.0, column + 0.5 - _SIZE / 2 - 3.0 - distance)
            vertices, used = front, _TRIANGLES
            if np.isfinite(gap):
                vertices = np.concatenate([front, behind + [0, 0, 1 + push * gap]])
                used = triangles
            values.append(_mask(vertices, used, 2, depth_push=push)[row, column])
        label = "background" if np.isinf(gap) else f"{gap:g} s z"
        axis.plot(distances, values, label=label)
    axis.set_title("opacity of a fragment")
    axis.set_xlabel("distance from the outline / margin")
    axis.legend(title="what is behind", fontsize="small")


def main():
    """Pictures of a square, and what single pixels show of it."""
    figure, axes = plt.subplots(
        1, 4, figsize=(13, 3.3), layout="constrained", width_ratios=(2, 2, 3, 3)
    )
    _draw_squares(axes[:2])
    _draw_passage(axes[2])
    _draw_depths(axes[3])
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)


if __name__ == "__main__":
    main()
