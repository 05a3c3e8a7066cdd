"""Draws docs/figures/heads.png: python docs/figures/heads.py

With the file of a head model it draws docs/figures/head_model.png.
"""

import dataclasses
import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tf_unsup3d.heads.linear_heads import load_head_model
from tf_unsup3d.heads.parameters import sample_head
from tf_unsup3d.heads.render import render_heads
from tf_unsup3d.heads.shape import procedural_head_model

_SIZE = 88
_YAWS = (-90.0, -45.0, 0.0, 45.0, 90.0)


def _views(model, head):
    """Five views, then normals and depth of the middle one."""
    turned = [
        dataclasses.replace(
            head, viewpoint=np.array([math.radians(yaw), 0.0, 0.0], np.float32)
        )
        for yaw in _YAWS
    ]
    rendered = render_heads(model, turned, _SIZE)
    middle = len(_YAWS) // 2
    mask = rendered.mask[middle]
    normals = np.where(mask[..., None], 0.5 - 0.5 * rendered.normals[middle], 1.0)
    depth = rendered.depth[middle]
    near, far = np.percentile(depth[mask], [0.0, 90.0])
    share = np.clip((depth - near) / (far - near), 0.0, 1.0)
    grey = np.where(mask, 1.0 - 0.85 * share, 1.0)
    truth = [normals, np.repeat(grey[..., None], 3, -1)]
    return [*rendered.pictures, *(np.uint8(255.0 * picture) for picture in truth)]


def main():
    """Two rows as made for training, then four heads turned, with their truth."""
    output, model = Path(__file__).with_suffix(".png"), procedural_head_model(48)
    if len(sys.argv) > 1:
        output, model = output.with_name("head_model.png"), load_head_model(sys.argv[1])
    heads = [sample_head(model, np.random.default_rng([1, i])) for i in range(18)]
    columns = len(_YAWS) + 2
    pictures = render_heads(model, heads[: 2 * columns], _SIZE).pictures
    rows = [pictures[:columns], pictures[columns:]]
    rows += [_views(model, head) for head in heads[2 * columns :]]
    sheet = np.concatenate([np.concatenate(list(row), 1) for row in rows], 0)
    Image.fromarray(sheet).save(output, optimize=True)


if __name__ == "__main__":
    main()
