"""The report on a model's shape."""

import dataclasses

from tf_unsup3d.evaluation.report import Report

# With fewer true pairs, the score of the supervised network would only show that they
# are few.
FEWEST_SUPERVISED = 500


@dataclasses.dataclass(frozen=True)
class Score:
    """Score of one source of depth on the test pictures.

    Attributes:
      pairs: Number of pictures with depth that the source was made from.
      errors: Means and standard deviations, see `DepthErrors.summary`.
      training: Records of the network's loss on held-out pairs, see
        `train_depth_network`; empty if there is no network.
    """

    pairs: int
    errors: dict[str, float]
    training: list[dict[str, float]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class WholeMesh:
    """How whole meshes, with their backs, compare with the average true head.

    Attributes:
      objects: Number of meshes.
      depth_to_width: Mean ratio of their extents along z and x.
      least_depth_to_width: Smallest such ratio of a mesh.
      chamfer: Mean of `mesh_distance.chamfer_distance` to the average true head.
    """

    objects: int
    depth_to_width: float
    least_depth_to_width: float
    chamfer: float


@dataclasses.dataclass(frozen=True)
class ShapeReport(Report):
    """Scores of a generator and of the references.

    Attributes:
      scores: Scores by name: "flat", "average", "supervised" if there are enough
        pairs, and "generator".
      meshes: Measures of whole meshes by name: "true" of the test heads, and
        "generator". Empty if the set of heads has no meshes.
    """

    scores: dict[str, Score]
    meshes: dict[str, WholeMesh]

    def table(self) -> str:
        """The scores as text, with standard deviations over the pictures."""
        lines = [
            f"{'':12}{'pairs':>8}{'SIDE x 100':>16}{'MAD degrees':>16}"
            f"{'residual corr.':>16}{'mask IoU':>16}{'missed':>8}"
        ]
        for name, score in self.scores.items():
            line = f"{name:12}{score.pairs or '-':>8}"
            for key in ("side", "mad", "residual_correlation", "mask_iou"):
                mean, deviation = score.errors[key], score.errors[f"{key}_std"]
                line += f"{f'{mean:.3f} ± {deviation:.3f}':>16}"
            lines.append(f"{line}{score.errors['missed']:>8}")
        if "supervised" not in self.scores:
            lines.append(
                f"supervised: needs a validation split of at least {FEWEST_SUPERVISED}"
            )
        titles = f"{'whole meshes':18}{'depth/width':>12}{'least':>8}{'chamfer':>9}"
        lines += ["", titles]
        for name, mesh in self.meshes.items():
            lines.append(
                f"{name:12}{mesh.objects:6}{mesh.depth_to_width:12.3f}"
                f"{mesh.least_depth_to_width:8.3f}{mesh.chamfer:9.4f}"
            )
        if not self.meshes:
            lines.append("none: this set of heads was made without meshes")
        return "\n".join(lines)
