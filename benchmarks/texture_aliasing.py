"""Measures how far the gradient of a finely textured object can be followed.

python -m benchmarks.texture_aliasing

A textured object is moved, turned or brought nearer by a number of pixels, and the
change of its picture is compared with what the gradient says, with and without mipmaps.
What the numbers mean is said in docs/rendering.md.
"""

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks import workloads
from tf_unsup3d import rendering
from tf_unsup3d.errors import UserError
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.viewpoints import rotate, rotation_matrices
from tf_unsup3d.rendering.camera import PinholeCamera

_STEPS = (1e-6, 1e-4, 1e-2, 1e-1, 1.0)
# The same pictures twice: the last one takes the level of detail for a constant.
_SAMPLINGS = ("bilinear", "mipmaps", "mipmaps, level held fixed")
_TIMED_RUNS = 20

_MESH = flags.DEFINE_string(
    "mesh", None, "OBJ, GLB or other mesh file with texture coordinates, drawn instead."
)
_SUBDIVISIONS = flags.DEFINE_integer(
    "subdivisions", 47, "Of the sphere with waves: 8 times its square are triangles."
)
_RESOLUTION = flags.DEFINE_integer("resolution", 64, "Height and width of pictures.")
_TEXELS = flags.DEFINE_list("texels", ["512", "32"], "Heights and widths of textures.")
_DIRECTIONS = flags.DEFINE_integer("directions", 4, "Directions of each movement.")
_FUNCTIONALS = flags.DEFINE_integer(
    "functionals", 6, "Sums of a picture with random weights, for each direction."
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all random numbers.")


class _Object(NamedTuple):
    """An object around the origin, of about the radius 0.6.

    Attributes:
      vertices: `[1, vertices, 3]` float64.
      mesh: Its mesh, with a texture layout.
    """

    vertices: tf.Tensor
    mesh: Mesh


class _Scene(NamedTuple):
    """An object, its texture `[1, texels, texels, 3]`, and random directions `[3]`."""

    object: _Object
    texture: tf.Tensor
    directions: np.ndarray


def _make_object(rng: np.random.Generator) -> _Object:
    if _MESH.value:
        return _read_object(_MESH.value)
    sphere = workloads.bumpy_spheres(
        rng,
        subdivisions=_SUBDIVISIONS.value,
        resolution=_RESOLUTION.value,
        amplitude=0.03,
    )
    mesh = Mesh(
        sphere.triangles, tf.constant(sphere.uv), sphere.uv_triangles, sphere.neighbors
    )
    return _Object(tf.constant(sphere.vertices), mesh)


def _read_object(path: str) -> _Object:
    import trimesh

    try:
        loaded = trimesh.load(path, force="mesh")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
    uv = getattr(loaded.visual, "uv", None)
    if uv is None:
        raise UserError(f"{path} has no texture coordinates")
    # Seams of the texture are no edges of the surface. y points up there, v too.
    vertices, index = np.unique(
        np.asarray(loaded.vertices), axis=0, return_inverse=True
    )
    vertices = (vertices - vertices.mean(0)) * [1.0, -1.0, -1.0]
    vertices *= 0.6 / np.linalg.norm(vertices, axis=1).max()
    mesh = Mesh(
        index.reshape(-1)[loaded.faces],
        tf.constant(np.asarray(uv, np.float64) * [1.0, -1.0] + [0.0, 1.0]),
        loaded.faces,
    )
    return _Object(tf.constant(vertices[None]), mesh)


def _moved(vertices: tf.Tensor, direction: np.ndarray, pixels: tf.Tensor) -> tf.Tensor:
    """Moves the picture of the object across the picture."""
    size = _RESOLUTION.value
    projected = PinholeCamera().project(vertices, size, size)
    across = np.append(direction[:2] / np.linalg.norm(direction[:2]), 0.0)
    return projected + pixels * across * projected[..., 2:]


def _turned(vertices: tf.Tensor, direction: np.ndarray, pixels: tf.Tensor) -> tf.Tensor:
    """Turns the object so far that its front moves by so many pixels."""
    size = _RESOLUTION.value
    yaw_pitch = direction[:2] / np.linalg.norm(direction[:2])
    # The unit ball fills the picture.
    angles = tf.constant(np.append(yaw_pitch, 0.0)) * pixels / (0.6 * size / 2)
    matrices = rotation_matrices(angles[None])
    return PinholeCamera().project(rotate(vertices, matrices), size, size)


def _grown(vertices: tf.Tensor, _: np.ndarray, pixels: tf.Tensor) -> tf.Tensor:
    """Brings the object so much nearer that its outline moves by so many pixels."""
    size = _RESOLUTION.value
    projected = PinholeCamera().project(vertices, size, size)
    centre = tf.constant([size / 2, size / 2, 0.0], tf.float64) * projected[..., 2:]
    factor = 1.0 + pixels / (0.6 * size / 2)
    scale = tf.stack([factor, factor, tf.ones_like(factor)])
    return centre + scale * (projected - centre)


_MOVEMENTS: dict[str, Callable[..., tf.Tensor]] = {
    "moved": _moved,
    "turned": _turned,
    "nearer": _grown,
}


def _draw(scene: _Scene, vertices: tf.Tensor, sampling: str) -> tf.Tensor:
    """The picture before black."""
    mesh, size = scene.object.mesh, _RESOLUTION.value
    if sampling != "mipmaps, level held fixed":
        drawn = rendering.render_mesh(
            vertices,
            mesh,
            scene.texture,
            height=size,
            width=size,
            mipmaps=sampling == "mipmaps",
        )
        return drawn["picture"]
    fragments = rendering.rasterize_mesh(vertices, mesh, size, size)
    colours = rendering.sample_texture(
        fragments,
        scene.texture,
        rendering.interpolate_uv(fragments, mesh),
        footprint=tf.stop_gradient(rendering.uv_footprint(fragments, vertices, mesh)),
    )
    background = tf.zeros([1, size, size, scene.texture.shape[-1]], vertices.dtype)
    return rendering.composite(fragments, colours, background)


class _Agreement(NamedTuple):
    """How changes that the gradient predicts agree with those of the pictures.

    Attributes:
      error: Their root mean square difference, as a part of the changes.
      correlation: Between them.
    """

    error: float
    correlation: float

    def __str__(self) -> str:
        return f"{100.0 * self.error:.2g} % ({self.correlation:.2f})"


def _agreement(predicted: np.ndarray, measured: np.ndarray) -> _Agreement:
    error = np.sqrt(np.mean((predicted - measured) ** 2) / np.mean(measured**2))
    return _Agreement(error, np.corrcoef(predicted.ravel(), measured.ravel())[0, 1])


def _measure(scene: _Scene, movement: str, sampling: str) -> list[_Agreement]:
    """For each step, the agreement over all directions and functionals."""
    rng = np.random.default_rng(_SEED.value)
    size = _RESOLUTION.value
    predicted, measured = [], []
    for direction in scene.directions:

        def draw(pixels: tf.Tensor, direction: np.ndarray = direction) -> tf.Tensor:
            place = _MOVEMENTS[movement]
            return _draw(
                scene, place(scene.object.vertices, direction, pixels), sampling
            )

        weights = rng.normal(size=[_FUNCTIONALS.value, size, size, 3])
        pixels = tf.constant(0.0, tf.float64)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(pixels)
            picture = draw(pixels)
            values = [tf.reduce_sum(picture * one) for one in weights]
        predicted.append([float(tape.gradient(value, pixels)) for value in values])
        changes = []
        for step in _STEPS:
            ends = [draw(tf.constant(sign * step, tf.float64)) for sign in (1.0, -1.0)]
            change = (ends[0] - ends[1]).numpy() / (2.0 * step)
            changes.append(np.sum(change * weights, (1, 2, 3)))
        measured.append(changes)
    slopes = np.array(measured)  # [directions, steps, functionals]
    return [_agreement(np.array(predicted), one) for one in np.moveaxis(slopes, 1, 0)]


def _seconds(scene: _Scene) -> dict[str, float]:
    """The shortest times of the picture and its gradient, taken in turns."""
    scene = scene._replace(texture=tf.cast(scene.texture, tf.float32))
    uv = tf.cast(scene.object.mesh.uv, tf.float32).numpy()
    mesh = scene.object.mesh
    mesh = Mesh(mesh.triangles, uv, mesh.uv_triangles, mesh.neighbors)
    scene = scene._replace(object=scene.object._replace(mesh=mesh))
    pixels = tf.constant(0.0, tf.float64)
    vertices = _moved(scene.object.vertices, np.ones(3), pixels)
    vertices = tf.cast(vertices, tf.float32)

    @tf.function
    def differentiate(sampling: str) -> list[tf.Tensor]:
        inputs = [vertices, scene.texture]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            picture = _draw(scene, vertices, sampling)
        return tape.gradient(picture, inputs)

    times: dict[str, list[float]] = {name: [] for name in _SAMPLINGS[:2]}
    for _ in range(_TIMED_RUNS):
        for sampling, runs in times.items():
            start = time.perf_counter()
            differentiate(sampling)
            runs.append(time.perf_counter() - start)
    return {sampling: min(runs) for sampling, runs in times.items()}


def main(argv: list[str]) -> None:
    """Measures and prints."""
    rng = np.random.default_rng(_SEED.value)
    drawn = _make_object(rng)
    directions = rng.normal(size=[_DIRECTIONS.value, 3])
    count = len(drawn.mesh.triangles)
    print(f"{count} triangles, {_RESOLUTION.value} x {_RESOLUTION.value} pixels\n")
    steps = " | ".join(f"{step:g}" for step in _STEPS)
    print(f"| texture | object | sampling | {steps} |")
    print("|---" * (3 + len(_STEPS)) + "|")
    timed = []
    for texels in map(int, _TEXELS.value):
        texture = tf.constant(rng.uniform(-1.0, 1.0, [1, texels, texels, 3]))
        scene = _Scene(drawn, texture, directions)
        for movement in _MOVEMENTS:
            for sampling in _SAMPLINGS:
                found = _measure(scene, movement, sampling)
                cells = " | ".join(map(str, found))
                print(f"| {texels}² | {movement} | {sampling} | {cells} |", flush=True)
        seconds = _seconds(scene)
        ratio = seconds["mipmaps"] / seconds["bilinear"]
        timed.append(
            f"{texels}² texels: {1e3 * seconds['bilinear']:.1f} ms bilinear,"
            f" {1e3 * seconds['mipmaps']:.1f} ms with mipmaps, {ratio:.2f} times"
        )
    print("\nPicture and gradient by vertices and texture, single precision:")
    print("\n".join(timed))


if __name__ == "__main__":
    cli.run(main)
