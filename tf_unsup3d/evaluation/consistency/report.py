"""The report on how well the views of objects agree."""

import dataclasses

from tf_unsup3d.evaluation.consistency.comparison import PairErrors
from tf_unsup3d.evaluation.report import Report


@dataclasses.dataclass(frozen=True)
class ConsistencyReport(Report):
    """Agreement between the views of a model's objects.

    Attributes:
      pairs: By the degrees of yaw between the two views: the mean `NAME` and the
        standard deviation `NAME_std` over the objects of each of `PairErrors`, and the
        number of objects that were `missed`.
      variance: Result of `variance_shares` for "pixels" and "features".
    """

    pairs: dict[str, dict[str, float]]
    variance: dict[str, dict[str, float]]

    def table(self) -> str:
        """Both parts as text."""
        names = [field.name for field in dataclasses.fields(PairErrors)]
        titles = "".join(f"{name.replace('_', ' '):>18}" for name in names)
        lines = [f"{'yaw between':12}{titles}{'missed':>8}"]
        for yaw, values in self.pairs.items():
            line = f"{f'{yaw} degrees':12}"
            for name in names:
                mean, deviation = values[name], values[f"{name}_std"]
                line += f"{f'{mean:.4f} ± {deviation:.4f}':>18}"
            lines.append(f"{line}{values['missed']:>8}")
        titles = "".join(f"{part:>18}" for part in ("latent", "view", "interaction"))
        lines += ["", f"{'variance of':12}{titles}"]
        for name, shares in self.variance.items():
            line = "".join(f"{share:>18.3f}" for share in shares.values())
            lines.append(f"{name:12}{line}")
        lines.append(f"features: {self.settings['features']}")
        return "\n".join(lines)
