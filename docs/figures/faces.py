"""Draws docs/figures/faces64.gif: python docs/figures/faces.py

The faces of the seeds 0 to 7 of pretrained:faces64, turned from side to side.
"""

import math
from pathlib import Path

import tf_unsup3d
from tf_unsup3d.export.animations import turntable
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.export.videos import write_video

_LARGEST_YAW = 50.0
_FRAMES = 24

if __name__ == "__main__":
    model = tf_unsup3d.load("pretrained:faces64")
    phases = [2.0 * math.pi * frame / _FRAMES for frame in range(_FRAMES)]
    yaws = [_LARGEST_YAW * math.sin(phase) for phase in phases]
    scene = fill_hidden_texture(model, model.sample(range(8)))
    frames = turntable(model, scene, yaws_degrees=yaws)
    write_video(Path(__file__).with_name("faces64.gif"), frames, fps=12)
