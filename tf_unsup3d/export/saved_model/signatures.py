"""The functions of a trained model that a SavedModel holds."""

import math
from collections.abc import Callable

import tensorflow as tf

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.export.saved_model.user_meshes import check_camera, draw_mesh
from tf_unsup3d.trained.random_streams import latents_of_seeds
from tf_unsup3d.trained.trained_model import TrainedModel

Tensors = dict[str, tf.Tensor]


class Signatures(tf.Module):
    """The functions of a trained model, by the names of their inputs and outputs.

    All inputs and outputs have the batch as their first dimension, and an element of
    the result depends on its own inputs alone, so that a server may put requests
    together. docs/serving.md says what each function takes and returns.

    The Keras model is not an attribute, because `tf.saved_model.save` would save Keras'
    own functions with it. Its variables are, and they are float32 whatever the
    precision of training.

    Args:
      model: The trained model.
      backend: How pictures are drawn, "op" or "portable"; see `render_mesh`.

    Attributes:
      functions: The functions by their names, for `tf.saved_model.save`.
    """

    def __init__(self, model: TrainedModel, backend: str):
        super().__init__()
        self.weights = checkpointable(model.generator.variables)
        self.functions = _make_functions(model, backend)


# AutoGraph would rewrite Python that needs no rewriting, for seconds.
def _graph(input_signature: list[tf.TensorSpec]) -> Callable:
    return tf.function(input_signature=input_signature, autograph=False)


def _make_functions(model: TrainedModel, backend: str) -> dict[str, Callable]:
    generator = model.generator
    renderer = model.renderer.replace(backend=backend)
    mesh = model.mesh
    # Computed here, lest it become a tensor of one of the graphs.
    latent_size, style_size = generator.latent_size, model.mean_style.shape[-1]
    real, whole = tf.float32, tf.int32
    latent = tf.TensorSpec([None, latent_size], real, "latent")
    style = tf.TensorSpec([None, style_size], real, "style")
    seed = tf.TensorSpec([None], tf.int64, "seed")
    psi = tf.TensorSpec([None], real, "truncation_psi")
    angles = [
        tf.TensorSpec([None], real, f"{name}_degrees")
        for name in ("yaw", "pitch", "roll")
    ]

    def truncated(latent: tf.Tensor, truncation_psi: tf.Tensor) -> tf.Tensor:
        return model.truncate(generator.styles(latent), truncation_psi[:, None])

    def repeated(values: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
        return tf.repeat(tf.constant(values)[None], tf.shape(style)[0], axis=0)

    @_graph([latent, psi])
    def map(latent: tf.Tensor, truncation_psi: tf.Tensor) -> Tensors:
        return {"style": truncated(latent, truncation_psi)}

    @_graph([seed, psi])
    def map_seed(seed: tf.Tensor, truncation_psi: tf.Tensor) -> Tensors:
        return map(latents_of_seeds(seed, latent_size), truncation_psi)

    @_graph([style])
    def synthesize(style: tf.Tensor) -> Tensors:
        scene = model.synthesize(style)
        return {
            "vertices": scene.vertices,
            "triangles": repeated(mesh.triangles, style),
            "uv": repeated(mesh.uv, style),
            "uv_triangles": repeated(mesh.uv_triangles, style),
            "texture": scene.texture,
            "background": scene.background,
            "style": style,
        }

    @_graph([seed, psi])
    def generate(seed: tf.Tensor, truncation_psi: tf.Tensor) -> Tensors:
        return synthesize(map_seed(seed, truncation_psi)["style"])

    @_graph([latent, psi])
    def generate_from_latent(latent: tf.Tensor, truncation_psi: tf.Tensor) -> Tensors:
        return synthesize(map(latent, truncation_psi)["style"])

    @_graph([style, *angles])
    def render(
        style: tf.Tensor,
        yaw_degrees: tf.Tensor,
        pitch_degrees: tf.Tensor,
        roll_degrees: tf.Tensor,
    ) -> Tensors:
        degrees = tf.stack([yaw_degrees, pitch_degrees, roll_degrees], -1)
        drawn = renderer(
            model.synthesize(style),
            degrees * (math.pi / 180.0),
            outputs=("picture", "depth", "normals", "mask"),
        )
        return {
            "picture": drawn["picture"],
            "depth": drawn["depth"][..., 0],
            "normals": drawn["normals"],
            "mask": drawn["mask"][..., 0],
        }

    @_graph([latent, psi, *angles])
    def render_latent(
        latent: tf.Tensor,
        truncation_psi: tf.Tensor,
        yaw_degrees: tf.Tensor,
        pitch_degrees: tf.Tensor,
        roll_degrees: tf.Tensor,
    ) -> Tensors:
        style = map(latent, truncation_psi)["style"]
        return render(style, yaw_degrees, pitch_degrees, roll_degrees)

    @_graph(
        [
            tf.TensorSpec([None, None, 3], real, "vertices"),
            tf.TensorSpec([None, None, 3], whole, "triangles"),
            tf.TensorSpec([None, None, 2], real, "uv"),
            tf.TensorSpec([None, None, 3], whole, "uv_triangles"),
            tf.TensorSpec([None, None, None, 3], real, "texture"),
            tf.TensorSpec([None], real, "field_of_view_degrees"),
            tf.TensorSpec([None, 3, 4], real, "pose"),
            tf.TensorSpec([None], whole, "height"),
            tf.TensorSpec([None], whole, "width"),
        ]
    )
    def render_mesh(
        vertices: tf.Tensor,
        triangles: tf.Tensor,
        uv: tf.Tensor,
        uv_triangles: tf.Tensor,
        texture: tf.Tensor,
        field_of_view_degrees: tf.Tensor,
        pose: tf.Tensor,
        height: tf.Tensor,
        width: tf.Tensor,
    ) -> Tensors:
        settings = renderer.get_config()

        def draw(inputs: tuple[tf.Tensor, ...]) -> Tensors:
            return draw_mesh(
                *inputs,
                margin=settings["margin"],
                depth_push=settings["depth_push"],
                backend=backend,
            )

        check_camera(field_of_view_degrees, height, width)
        mesh_inputs = (vertices, triangles, uv, uv_triangles, texture)
        camera_inputs = (field_of_view_degrees, pose, height, width)
        channels = {"picture": [3], "depth": [], "normals": [3], "mask": []}
        return tf.map_fn(
            draw,
            (*mesh_inputs, *camera_inputs),
            fn_output_signature={
                name: tf.TensorSpec([None, None, *last], real)
                for name, last in channels.items()
            },
        )

    functions = (
        generate,
        generate_from_latent,
        map,
        map_seed,
        synthesize,
        render,
        render_latent,
        render_mesh,
    )
    return {function.__name__: function for function in functions}
