"""Writing a trained model as a version of a SavedModel."""

import contextlib
import math
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

import tf_unsup3d
from tf_unsup3d.errors import UserError
from tf_unsup3d.export.saved_model.model_card import format_model_card
from tf_unsup3d.export.saved_model.signatures import Signatures
from tf_unsup3d.export.saved_model.warmup import FILE_NAME, write_warmup_requests
from tf_unsup3d.files import creating_folder, write_json, write_text
from tf_unsup3d.models.precision import convolutions_in
from tf_unsup3d.rendering import op_library
from tf_unsup3d.trained import encoder_files, model_folder
from tf_unsup3d.trained.saved_model_folder import EXTRA_NAME, find_versions
from tf_unsup3d.trained.trained_model import TrainedModel

CARD_NAME = "model_card.md"
DESCRIPTION_NAME = "model.json"
INSTRUCTIONS_NAME = "custom_op.md"

_INSTRUCTIONS = """# The custom op

This SavedModel draws with the op `TfUnsup3d>RenderMesh`, which is not part of
TensorFlow. `{library}` in this folder holds it, compiled for TensorFlow
{version}. Load it before the model:

    import tensorflow as tf

    tf.load_op_library("{extra}/{library}")
    model = tf.saved_model.load(".")

TensorFlow Serving loads no libraries: the op has to be linked into the server, as
docs/serving.md of tf_unsup3d describes. Without `--with_custom_op`, `unsup3d-export`
writes a model that needs neither.
"""


def export_saved_model(
    model: TrainedModel,
    output: pathlib.Path,
    version: int | None = None,
    *,
    with_custom_op: bool = False,
) -> pathlib.Path:
    """Writes a trained model as a SavedModel.

    The version appears at once and whole, so that a server that watches the folder
    never sees half of one.

    Args:
      model: The trained model.
      output: Folder with a subfolder for each version, which is created if necessary.
        Its name is that of the model.
      version: Number of the version, at least 1. By default it follows the newest one
        in the folder.
      with_custom_op: Whether pictures are drawn by the compiled op, a copy of which is
        then put into the folder of the version.

    Returns:
      The folder of the version.

    Raises:
      UserError: There is such a version, or a file cannot be written. An encoder that
        cannot be used is left out with a warning instead.
    """
    if version is None:
        version = max(find_versions(output), default=0) + 1
    folder = output / str(version)
    if folder.exists():
        raise UserError(f"{folder} exists: a version is never overwritten")
    if not _is_utf8(folder.absolute()):
        raise UserError(f"cannot write {folder!a}: TensorFlow takes only UTF-8 names")
    name = output.resolve().name
    encoder = model.usable_encoder()
    with _naming_errors(folder), convolutions_in(tf.float32):
        signatures = Signatures(model, "op" if with_custom_op else "portable")
        with creating_folder(folder) as temporary:
            tf.saved_model.save(
                signatures,
                str(temporary),
                signatures.functions,
                tf.saved_model.SaveOptions(namespace_whitelist=["TfUnsup3d"]),
            )
            extra = temporary / EXTRA_NAME
            extra.mkdir()
            model_folder.publish(
                extra,
                model.generator,
                model.configuration,
                model.card,
                dtype=np.float32,
            )
            if encoder:
                encoder_files.write_encoder(extra, encoder, model.generator)
            write_text(extra / CARD_NAME, format_model_card(model, name))
            write_json(extra / DESCRIPTION_NAME, _describe(model, name, version))
            write_warmup_requests(extra / FILE_NAME, name, _warmup_requests(model))
            if with_custom_op:
                _add_custom_op(extra)
    return folder


def _is_utf8(path: pathlib.Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


@contextlib.contextmanager
def _naming_errors(folder: pathlib.Path) -> Iterator[None]:
    """Turns what TensorFlow raises when it cannot write into a `UserError`."""
    try:
        yield
    except tf.errors.OpError as error:
        raise UserError(f"cannot write {folder}: {error.message}") from error


def _describe(model: TrainedModel, name: str, version: int) -> dict[str, Any]:
    """The sizes that a client needs."""
    scene = model.synthesize(model.mean_style)
    return {
        "name": name,
        "version": version,
        "tf_unsup3d": tf_unsup3d.__version__,
        "tensorflow": tf.__version__,
        "step": model.step,
        "latent_size": model.generator.latent_size,
        "style_size": model.mean_style.shape[-1],
        "vertices": len(model.mesh.directions),
        "triangles": len(model.mesh.triangles),
        "texture_coordinates": len(model.mesh.uv),
        "texture_resolution": scene.texture.shape[1],
        "background_resolution": scene.background.shape[1],
        "resolution": model.resolution,
        "field_of_view_degrees": math.degrees(model.camera.field_of_view),
        "pose": model.camera.pose,
        "pivot": model.renderer.pivot,
        "viewpoint_limits_degrees": model.viewpoints.limits,
    }


def _warmup_requests(model: TrainedModel) -> dict[str, dict[str, Any]]:
    """One small request for each signature."""
    psi = np.full([1], 0.7, np.float32)
    seed = np.zeros([1], np.int64)
    latent = np.zeros([1, model.generator.latent_size], np.float32)
    latent[:, 0] = 1.0
    style = model.mean_style
    names = ("yaw_degrees", "pitch_degrees", "roll_degrees")
    angles = {name: np.zeros([1], np.float32) for name in names}
    scene, mesh = model.synthesize(style), model.mesh
    size = np.full([1], model.resolution, np.int32)
    fov = np.full([1], math.degrees(model.camera.field_of_view), np.float32)
    return {
        "generate": {"seed": seed, "truncation_psi": psi},
        "generate_from_latent": {"latent": latent, "truncation_psi": psi},
        "map": {"latent": latent, "truncation_psi": psi},
        "map_seed": {"seed": seed, "truncation_psi": psi},
        "synthesize": {"style": style},
        "render": {"style": style, **angles},
        "render_latent": {"latent": latent, "truncation_psi": psi, **angles},
        "render_mesh": {
            "vertices": scene.vertices,
            "triangles": mesh.triangles[None],
            "uv": mesh.uv[None],
            "uv_triangles": mesh.uv_triangles[None],
            "texture": scene.texture,
            "field_of_view_degrees": fov,
            "pose": np.array(model.camera.pose, np.float32)[None],
            "height": size,
            "width": size,
        },
    }


def _add_custom_op(extra: pathlib.Path) -> None:
    path = op_library.find_library()
    shutil.copyfile(path, extra / path.name)
    text = _INSTRUCTIONS.format(
        library=path.name, version=tf.__version__, extra=EXTRA_NAME
    )
    write_text(extra / INSTRUCTIONS_NAME, text)
