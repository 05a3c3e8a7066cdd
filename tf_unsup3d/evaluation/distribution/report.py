"""The report on how far a model's pictures are from real ones."""

import dataclasses

import numpy as np

from tf_unsup3d.evaluation.distribution.distances import (
    SUBSETS,
    frechet_distance,
    kernel_distances,
    subset_size,
)
from tf_unsup3d.evaluation.report import Report, Settings

# Smallest number of pictures on either side.
FEWEST_PICTURES = 16


@dataclasses.dataclass(frozen=True)
class Distance:
    """Distance of a set of pictures from the real ones.

    Attributes:
      fid: Fréchet distance, see `frechet_distance`.
      kid: Mean of `kernel_distance` over random subsets.
      kid_std: Standard deviation of `kernel_distance` over the subsets.
    """

    fid: float
    kid: float
    kid_std: float


@dataclasses.dataclass(frozen=True)
class DistributionReport(Report):
    """The distance of a generator from real pictures, beside that of real pictures.

    Attributes:
      warnings: Reasons not to rely on the numbers.
      distances: Distances by name: "generator" for the generated pictures, "real" for
        other real pictures, which is the floor that a perfect generator reaches.
    """

    warnings: list[str]
    distances: dict[str, Distance]

    def table(self) -> str:
        """The distances as text, with notes and warnings."""
        network = self.settings["feature_network"]
        # A number without the name of its network would be taken for another.
        titles = f"FID/{network}", f"KID/{network} x 1000"
        widths = [len(title) + 2 for title in titles]
        lines = [
            f"{'':12}{'pictures':>9}{'real ones':>11}"
            f"{titles[0]:>{widths[0]}}{titles[1]:>{widths[1]}}"
        ]
        count = self.settings["pictures"]
        for name, distance in self.distances.items():
            kid = f"{1000 * distance.kid:.3f} ± {1000 * distance.kid_std:.3f}"
            lines.append(
                f"{name:12}{count:>9}{count:>11}"
                f"{distance.fid:>{widths[0]}.3f}{kid:>{widths[1]}}"
            )
        lines.append(f"features: {self.settings['features']}")
        lines.append(f"these numbers are {self.settings['note']}")
        lines.extend(f"warning: {warning}" for warning in self.warnings)
        return "\n".join(lines)


def distribution_report(
    settings: Settings,
    generated: np.ndarray,
    held_out: np.ndarray,
    real: np.ndarray,
    seed: int,
) -> DistributionReport:
    """Compares generated and held-out real pictures with the same real pictures.

    A perfect generator is as far from the real pictures as held-out real ones are: the
    FID of two samples of one distribution is not 0.

    Args:
      settings: Settings that the numbers depend on, among them the name of the
        "feature_network", what its "features" are and a "note" about both; those known
        here are added.
      generated: `[pictures, features]` of generated pictures.
      held_out: `[pictures, features]` of as many real pictures.
      real: `[pictures, features]` of as many other real pictures.
      seed: Seed of the subsets of KID.

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


def _distance(first: np.ndarray, second: np.ndarray, seed: int) -> Distance:
    subsets = kernel_distances(first, second, seed)
    return Distance(
        frechet_distance(first, second), float(subsets.mean()), float(subsets.std())
    )
