"""Compares the whole meshes of a model with those of true heads."""

import numpy as np

from tf_unsup3d.evaluation.alarms.surface import half_shell
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.evaluation.shape.mesh_distance import chamfer_distance
from tf_unsup3d.evaluation.shape.report import WholeMesh
from tf_unsup3d.heads.true_meshes import TrueMeshes
from tf_unsup3d.trained.trained_model import TrainedModel


def compare_meshes(
    model: TrainedModel, true_meshes: TrueMeshes, seed: int
) -> dict[str, WholeMesh]:
    """Measures true and generated meshes by their distance to the average true head.

    A depth map shows the front of a head only. No generated head is the same person as
    a true one, so all are compared with the average, and the true heads show how far
    from it heads should be.

    Args:
      model: The model, of which as many objects are drawn as there are true heads.
      true_meshes: The true heads.
      seed: Seed of all random numbers.

    Returns:
      The measures of "true" and of "generator".
    """
    average = true_meshes.vertices.mean(0)
    batches = random_batches(model, len(true_meshes.vertices), seed=seed, name="meshes")
    generated = np.concatenate([batch.scene.vertices.numpy() for batch in batches])

    def measure(vertices: np.ndarray, triangles: np.ndarray) -> WholeMesh:
        proportions = half_shell(vertices)
        distances = [
            chamfer_distance(each, triangles, average, true_meshes.triangles, seed=seed)
            for each in vertices
        ]
        return WholeMesh(
            objects=len(vertices),
            depth_to_width=float(proportions.mean()),
            least_depth_to_width=float(proportions.min()),
            chamfer=float(np.mean(distances)),
        )

    return {
        "true": measure(true_meshes.vertices, true_meshes.triangles),
        "generator": measure(generated, model.mesh.triangles),
    }
