"""Draws docs/figures/faces128.gif: python docs/figures/faces.py

The faces of the seeds 0 to 7 of pretrained:faces128, turned all the way round.
"""

from pathlib import Path

import tf_unsup3d
from tf_unsup3d.export.animations import turntable
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.export.videos import write_video

_FRAMES = 36

if __name__ == "__main__":
    model = tf_unsup3d.load("pretrained:faces128")
    yaws = [360.0 * frame / _FRAMES for frame in range(_FRAMES)]
    scene = fill_hidden_texture(model, model.sample(range(8)))
    frames = turntable(model, scene, yaws_degrees=yaws)
    write_video(Path(__file__).with_name("faces128.gif"), frames, fps=12)
