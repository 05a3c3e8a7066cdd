"""A SavedModel with a signature for each thing that a request can ask for."""

import pathlib

import tensorflow as tf

PICTURE_SIZE = 8
# What `hold` adds to the name of its file for the one that it writes.
BEGUN = ".begun"


class ToyModel(tf.Module):
    """Its outputs say by which version, style and viewpoint they were made."""

    def __init__(self, factor):
        super().__init__()
        self.factor = tf.Variable(float(factor))

    @tf.function(input_signature=[tf.TensorSpec([None, 2], name="x")])
    def scale(self, x):
        return {"y": self.factor * x}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int32, "count"),
            tf.TensorSpec([None], tf.bool, "flag"),
            tf.TensorSpec([None, None], tf.string, "text"),
            tf.TensorSpec([None], tf.float64, "real"),
        ]
    )
    def echo(self, count, flag, text, real):
        return {
            "count": count,
            "flag": flag,
            "text": text,
            "text_bytes": text,
            "real": real,
        }

    @tf.function(input_signature=[tf.TensorSpec([None], name="x")])
    def invert(self, x):
        return {"y": tf.debugging.check_numerics(1.0 / x, "division")}

    @tf.function(input_signature=[tf.TensorSpec([3], name="x")])
    def sum(self, x):
        return {"total": tf.reduce_sum(x), "terms": x}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string, "path")])
    def hold(self, path):
        """Says that it has begun, and computes until there is a file of that name."""
        begun = tf.io.write_file(tf.strings.join([path, BEGUN]), "")
        # The loop may keep the only thread.
        with tf.control_dependencies([begun]):
            looked = tf.constant(1)
        while tf.size(tf.io.matching_files(path)) == 0:
            looked += 1
        return {"was_there": looked > 0}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int32, "height"),
            tf.TensorSpec([None], tf.int32, "width"),
        ]
    )
    def blank(self, height, width):
        return {"pixels": height * width}

    # As in the models of this project.

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 3], name="vertices"),
            tf.TensorSpec([None, None, 3], tf.int32, "triangles"),
            tf.TensorSpec([None, None, 2], name="uv"),
            tf.TensorSpec([None, None, 3], tf.int32, "uv_triangles"),
            tf.TensorSpec([None, None, None, 3], name="texture"),
            tf.TensorSpec([None], name="field_of_view_degrees"),
            tf.TensorSpec([None, 3, 4], name="pose"),
            tf.TensorSpec([None], tf.int32, "height"),
            tf.TensorSpec([None], tf.int32, "width"),
        ]
    )
    def render_mesh(
        self,
        vertices,
        triangles,
        uv,
        uv_triangles,
        texture,
        field_of_view_degrees,
        pose,
        height,
        width,
    ):
        del vertices, uv, uv_triangles, texture, field_of_view_degrees, pose, width
        return {"drawn": height * tf.shape(triangles)[1]}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int64, "seed"),
            tf.TensorSpec([None], name="truncation_psi"),
        ]
    )
    def map_seed(self, seed, truncation_psi):
        seed = tf.cast(seed, tf.float32)
        return {"style": tf.stack([seed, truncation_psi], -1)}

    @tf.function(
        input_signature=[tf.TensorSpec([None, 2], name="style")]
        + [
            tf.TensorSpec([None], name=f"{name}_degrees")
            for name in ("yaw", "pitch", "roll")
        ]
    )
    def render(self, style, yaw_degrees, pitch_degrees, roll_degrees):
        del pitch_degrees, roll_degrees
        colour = tf.stack([style[:, 0] / 100, style[:, 1], yaw_degrees / 100], -1)
        size = [1, PICTURE_SIZE, PICTURE_SIZE, 1]
        return {"picture": tf.tile(colour[:, None, None], size)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int64, "seed"),
            tf.TensorSpec([None], name="truncation_psi"),
        ]
    )
    def generate(self, seed, truncation_psi):
        size = tf.cast(seed + 1, tf.float32)[:, None, None]
        tetrahedron = [[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
        triangles = [[[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]]]
        uv = [[[0.0, 0], [1, 0], [0, 1], [1, 1]]]
        rows = [tf.shape(seed)[0], 1, 1]
        shape = [tf.shape(seed)[0], 4, 4, 3]
        colour = truncation_psi[:, None, None, None]
        return {
            "vertices": size * tf.constant([tetrahedron]),
            "triangles": tf.tile(tf.constant(triangles), rows),
            "uv": tf.tile(tf.constant(uv), rows),
            "uv_triangles": tf.tile(tf.constant(triangles), rows),
            "texture": tf.broadcast_to(colour, shape),
        }


def hold_body(path: pathlib.Path) -> dict:
    """The body of a request that is answered once a file is there."""
    return {"signature_name": "hold", "inputs": str(path)}


def has_begun(path: pathlib.Path) -> bool:
    """Whether the model computes what `hold_body` asks for."""
    return path.with_name(path.name + BEGUN).exists()


def write_version(folder: pathlib.Path, number: int) -> pathlib.Path:
    """Writes a version, which multiplies by its number."""
    model = ToyModel(number)
    names = "echo invert sum hold blank map_seed render generate render_mesh".split()
    signatures = {name: getattr(model, name) for name in names}
    path = folder / str(number)
    tf.saved_model.save(model, path, {"serving_default": model.scale, **signatures})
    return path
