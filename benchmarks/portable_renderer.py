"""Times the portable backend beside the compiled op.

python -m benchmarks.portable_renderer

Prints a table. The calls of both take turns; what is shown is the fastest of each, so
that other work on the machine counts little.
"""

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
import math
import time

import numpy as np
import tensorflow as tf

from benchmarks.workloads import bumpy_spheres
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering.backends import BACKENDS
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.render_mesh import render_mesh

_RUNS = flags.DEFINE_integer("runs", 50, "Counted calls of each backend.")
_SUBDIVISIONS = 32


def main(argv):
    """Prints a line for each size and number of pictures."""
    del argv
    print(f"{8 * _SUBDIVISIONS**2} triangles, in float32, with a soft layer of 1 pixel")
    print()
    print("| picture | batch | op (ms) | portable (ms) | ratio | largest difference |")
    print("|---|---|---|---|---|---|")
    for resolution, batch in ((64, 1), (128, 1), (64, 16)):
        times, difference = compare(resolution, batch, _RUNS.value)
        op, portable = (1e3 * times[backend] for backend in BACKENDS)
        print(
            f"| {resolution} x {resolution} | {batch} | {op:.2f} | {portable:.2f} |"
            f" {portable / op:.1f} | {difference:.1e} |"
        )


def compare(resolution, batch, runs):
    """The time of the fastest call by backend, and how far their pictures differ."""
    workload = bumpy_spheres(
        np.random.default_rng(0),
        subdivisions=_SUBDIVISIONS,
        resolution=resolution,
        batch=batch,
        texels=64,
    )
    mesh = Mesh(
        workload.triangles, workload.uv, workload.uv_triangles, workload.neighbors
    )
    vertices, texture, background = (
        tf.constant(value, tf.float32)
        for value in (workload.vertices, workload.texture, workload.background)
    )
    pixels = PinholeCamera().project(vertices, resolution, resolution)

    def function(backend):
        @tf.function(autograph=False)
        def draw(pixels, texture, background):
            return render_mesh(
                pixels, mesh, texture, background=background, backend=backend
            )["picture"]

        return draw

    functions = {backend: function(backend) for backend in BACKENDS}
    pictures = [
        draw(pixels, texture, background).numpy() for draw in functions.values()
    ]
    times = dict.fromkeys(BACKENDS, math.inf)
    for _ in range(runs):
        for backend, draw in functions.items():
            start = time.perf_counter()
            draw(pixels, texture, background).numpy()
            times[backend] = min(times[backend], time.perf_counter() - start)
    return times, np.abs(pictures[0] - pictures[1]).max()


def run():
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
