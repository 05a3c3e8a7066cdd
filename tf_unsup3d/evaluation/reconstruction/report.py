"""The report on reconstruction."""

import dataclasses

from tf_unsup3d.evaluation.report import Report

_COLUMNS = {
    "viewpoint": "viewpoint",
    "side": "SIDE x 100",
    "mad": "MAD",
    "residual_correlation": "residual",
    "mask_iou": "mask IoU",
    "error": "L1",
    "perceptual": "perceptual",
    "flagged": "flagged",
    "seconds": "s/picture",
}


@dataclasses.dataclass(frozen=True)
class ReconstructionReport(Report):
    """Scores of the ways to reconstruct, and of references.

    Attributes:
      samples: Scores on the model's own samples, by the way of reconstruction and then
        by name: `viewpoint`, the median angle between the found and the true viewpoint
        in degrees; `side`, `mad`, `residual_correlation`, `mask_iou` and `missed`, see
        `DepthErrors`; `error`, the mean absolute difference of the colours, from 0 to
        1; `perceptual`, see `perceptual_distance`; `flagged`, the part of the pictures
        that is flagged; `seconds` per picture.
        What does not apply is missing.
      heads: The same on heads of known shape; empty if there are none.
    """

    samples: dict[str, dict[str, float]]
    heads: dict[str, dict[str, float]]

    def table(self) -> str:
        """The scores as text."""
        lines = []
        for title, scores in (("own samples", self.samples), ("heads", self.heads)):
            if not scores:
                continue
            titles = "".join(f"{column:>12}" for column in _COLUMNS.values())
            lines.append(f"{title:20}{titles}")
            for name, values in scores.items():
                cells = (
                    f"{values[key]:12.3f}" if key in values else f"{'-':>12}"
                    for key in _COLUMNS
                )
                lines.append(f"{name:20}{''.join(cells)}")
        return "\n".join(lines)
