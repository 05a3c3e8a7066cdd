"""The report on how far a model's pictures are from real ones."""

import dataclasses

import numpy as np

from tf_unsup3d.evaluation.distribution.distances import (
    SUBSETS,
    frechet_distance,
    kernel_distances,
    subset_size,
)
from tf_unsup3d.evaluation.report import Report

# With fewer pictures on either side there is nothing to measure.
FEWEST_PICTURES = 16


@dataclasses.dataclass(frozen=True)
class Distance:
    """How far some pictures are from the real ones.

    Attributes:
      fid: see `frechet_distance`.
      kid: mean of `kernel_distance` over subsets.
      kid_std: its standard deviation over the subsets.
    """

    fid: float
    kid: float
    kid_std: float


@dataclasses.dataclass(frozen=True)
class DistributionReport(Report):
    """A generator's distance from real pictures beside that of other real pictures.

    Attributes:
      warnings: what speaks against believing them.
      distances: by name: "generator", and "real" for its floor.
    """

    warnings: list[str]
    distances: dict[str, Distance]

    def table(self) -> str:
        """The distances as text, and what to know about them."""
        lines = [
            f"{'':12}{'pictures':>9}{'real ones':>11}{'FID':>12}{'KID x 1000':>20}"
        ]
        count = self.settings["pictures"]
        for name, distance in self.distances.items():
            kid = f"{1000 * distance.kid:.3f} ± {1000 * distance.kid_std:.3f}"
            lines.append(
                f"{name:12}{count:>9}{count:>11}{distance.fid:>12.3f}{kid:>20}"
            )
        lines.append(f"features: {self.settings['features']}")
        lines.append(f"these numbers are {self.settings['note']}")
        lines.extend(f"warning: {warning}" for warning in self.warnings)
        return "\n".join(lines)


def distribution_report(
    settings: dict[str, str | int | bool],
    generated: np.ndarray,
    held_out: np.ndarray,
    real: np.ndarray,
    seed: int,
) -> DistributionReport:
    """Compares generated pictures with real ones, and those with others as many.

    A perfect generator is as far from the real pictures as held-out real ones are: FID
    is not 0 between two samples of one distribution.

    Args:
      settings: what the numbers depend on beyond what is told here.
      generated: [pictures, features] of the generator.
      held_out: [pictures, features] of real pictures.
      real: [pictures, features] of other real pictures; as many of each.
      seed: of the subsets of KID.

    Returns:
      The report.
    """
    count, size = real.shape
    warnings = []
    if count <= size:
        warnings.append(
            f"FID of {count} pictures in {size} dimensions is far too high, on both "
            "lines; KID has no such bias"
        )
    return DistributionReport(
        settings
        | {
            "pictures": count,
            "real_pictures": count,
            "feature_size": size,
            "kid_subsets": SUBSETS,
            "kid_subset_size": subset_size(count),
        },
        warnings,
        {
            "generator": _distance(generated, real, seed),
            "real": _distance(held_out, real, seed),
        },
    )


def _distance(first, second, seed):
    subsets = kernel_distances(first, second, seed)
    return Distance(
        frechet_distance(first, second), float(subsets.mean()), float(subsets.std())
    )
