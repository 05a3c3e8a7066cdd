"""The report on whether faces are the same person from every side."""

import dataclasses

from tf_unsup3d.evaluation.identity.similarity import SAME_PERSON, Similarity
from tf_unsup3d.evaluation.report import Report


@dataclasses.dataclass(frozen=True)
class IdentityReport(Report):
    """Similarity of a model's faces between views, beside references.

    Attributes:
      similarities: Similarity by the name of what is compared, see `measure_identity`.
    """

    similarities: dict[str, Similarity]

    def table(self) -> str:
        """The similarities as text."""
        width = max(len(name) for name in self.similarities) + 2
        lines = [
            f"{'':{width}}{'pairs':>6}{'ID':>16}{'cosine':>9}{'distance':>10}"
            f"{f'within {SAME_PERSON:g}':>12}"
        ]
        for name, found in self.similarities.items():
            lines.append(
                f"{name:{width}}{found.pairs:>6}"
                f"{f'{found.ID:.3f} ± {found.ID_std:.3f}':>16}{found.cosine:>9.3f}"
                f"{found.distance:>10.3f}{found.same_person:>12.3f}"
            )
        lines.append(f"faces described by {self.settings['face_network']}")
        lines.append(
            "these numbers are not comparable with published ones, which rest on "
            "ArcFace"
        )
        return "\n".join(lines)
