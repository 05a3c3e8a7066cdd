"""The same bits with any number of threads."""

import subprocess
import sys
import textwrap

import numpy as np

# Each number of threads has a fork of one process that has imported everything, but
# computed nothing.
PROGRAM = textwrap.dedent(
    """
    import os
    import sys
    import numpy as np
    import tensorflow as tf
    from tf_unsup3d.geometry.mesh import Mesh
    from tf_unsup3d.rendering import rasterize_mesh, render_mesh, transform_points

    def draw(threads, result):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        all_inputs = np.load(sys.argv[1])
        points = tf.random.stateless_normal([2, 20_000, 3], [0, 1])
        matrices = tf.random.stateless_normal([2, 3, 4], [0, 2])
        with tf.GradientTape() as tape:
            tape.watch(points)
            outputs = [transform_points(points, matrices)]
        outputs.append(tape.gradient(outputs[0], points))
        for kind in ("one", "three"):
            inputs = {
                name.split(".")[1]: tf.constant(all_inputs[name])
                for name in all_inputs.files if name.startswith(kind + ".")
            }
            fields = ("triangles", "uv", "uv_triangles", "neighbors")
            mesh = Mesh(**{name: inputs.pop(name) for name in fields})
            weights = inputs["background"]
            watched = {"uv": mesh.uv, **inputs}
            with tf.GradientTape() as tape:
                tape.watch(watched)
                drawn = render_mesh(mesh=mesh, **inputs)
                value = tf.reduce_sum(drawn["picture"] * weights)
            gradients = tape.gradient(value, watched)
            outputs += [*drawn.values(), *gradients.values()]
            vertices = inputs["vertices"]
            height, width = weights.shape[1:3]
            with tf.GradientTape() as tape:
                tape.watch(vertices)
                fragments = rasterize_mesh(vertices, mesh, height, width)
                value = tf.reduce_sum(fragments.weight**2 * fragments.depth)
            outputs += [*fragments, tape.gradient(value, vertices)]
        np.savez(result, *outputs)

    children = []
    for threads in sys.argv[3:]:
        child = os.fork()
        if not child:
            draw(int(threads), f"{sys.argv[2]}/{threads}.npz")
            os._exit(0)
        children.append(child)
    sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
    """
)


def test_number_of_threads_does_not_matter(tmp_path, bumpy_inputs):
    """One picture of several bands, and a batch."""
    arrays = {}
    for kind, batch in (("one", 1), ("three", 3)):
        inputs = bumpy_inputs(
            batch, subdivisions=8, height=100, width=64, batch=batch, dtype=np.float32
        )
        arrays.update({f"{kind}.{name}": value for name, value in inputs.items()})
    all_inputs = tmp_path / "all_inputs.npz"
    np.savez(all_inputs, **arrays)

    counts = ("1", "2", "7")
    command = [sys.executable, "-c", PROGRAM, all_inputs, tmp_path, *counts]
    assert subprocess.run(command).returncode == 0

    results = [np.load(tmp_path / f"{count}.npz") for count in counts]
    assert len(results[0].files) == 30
    for other in results[1:]:
        for name in results[0].files:
            np.testing.assert_array_equal(other[name], results[0][name])


def test_repetition_gives_the_same_bits(bumpy_inputs, render_with_gradients):
    inputs = bumpy_inputs(0, height=64, width=64, batch=2, dtype=np.float32)
    first = render_with_gradients(inputs, inputs["background"])
    for _ in range(5):
        again = render_with_gradients(inputs, inputs["background"])
        np.testing.assert_array_equal(again[0], first[0])
        for name, gradient in first[2].items():
            np.testing.assert_array_equal(again[2][name], gradient)


def test_pictures_do_not_depend_on_their_batch(bumpy_inputs, render_with_gradients):
    """Alone a picture is drawn in more bands than in a batch."""
    inputs = bumpy_inputs(0, height=64, width=64, batch=8)
    together = render_with_gradients(inputs, inputs["background"])
    alone = {
        name: value[:1]
        if name in ("vertices", "texture", "attributes", "background")
        else value
        for name, value in inputs.items()
    }
    picture, _, gradients = render_with_gradients(alone, alone["background"])
    np.testing.assert_array_equal(picture, together[0][:1])
    for name in ("vertices", "texture", "attributes", "background"):
        np.testing.assert_allclose(
            gradients[name], together[2][name][:1], rtol=1e-9, atol=1e-12
        )
