"""The settings of a set of head pictures."""

import dataclasses
from pathlib import Path

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import file_checksum
from tf_unsup3d.heads.backgrounds import PictureBackgrounds

SPLITS = ("train", "validation", "test")
FRAMINGS = ("ball", "portrait")
# The number increases whenever the procedural heads change.
_PROCEDURAL = "procedural-2"


@dataclasses.dataclass(frozen=True)
class HeadSetSettings:
    """Everything that a set of head pictures depends on.

    Attributes:
      count: Number of pictures for training, at least 1.
      validation_count: Number of pictures for validation.
      test_count: Number of pictures for testing.
      resolution: Height and width of the pictures in pixels, a power of two from 16 to
        512.
      seed: Seed of all random choices, not negative.
      yaw_range: Largest yaw in degrees.
      pitch_range: Largest pitch in degrees.
      framing: "ball" for whole heads in the unit ball, whose angles are uniformly
        distributed; "portrait" for faces that are framed, turned and lit like aligned
        portraits, see `framing.frame_as_portrait` and `parameters.sample_head`.
      head_model: File of a linear head model, or None for procedural heads.
      backgrounds: Folder of background pictures, or None for synthetic backgrounds.

    Raises:
      UserError: If a value is out of range.
    """

    count: int = 2000
    validation_count: int = 64
    test_count: int = 64
    resolution: int = 64
    seed: int = 0
    yaw_range: float = 60.0
    pitch_range: float = 15.0
    framing: str = "ball"
    head_model: str | None = None
    backgrounds: str | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UserError(f"count must be at least 1, got {self.count}")
        for name in ("validation_count", "test_count", "seed"):
            if getattr(self, name) < 0:
                raise UserError(
                    f"{name} must not be negative, got {getattr(self, name)}"
                )
        if self.resolution not in (16, 32, 64, 128, 256, 512):
            raise UserError(
                "resolution must be a power of two from 16 to 512, "
                f"got {self.resolution}"
            )
        if self.framing not in FRAMINGS:
            raise UserError(
                f"framing must be one of {', '.join(FRAMINGS)}, got {self.framing}"
            )
        for name, limit in (("yaw_range", 180.0), ("pitch_range", 90.0)):
            if not 0.0 <= getattr(self, name) <= limit:
                raise UserError(
                    f"{name} must be from 0 to {limit:g} degrees, "
                    f"got {getattr(self, name):g}"
                )

    def size(self, split: str) -> int:
        """Returns the number of pictures in a split, one of `SPLITS`."""
        return {
            "train": self.count,
            "validation": self.validation_count,
            "test": self.test_count,
        }[split]

    def description(self) -> dict[str, object]:
        """Describes the settings independently of where the files lie.

        Returns:
          The settings by name. The head model and the backgrounds are given by name and
          checksum instead of by path.

        Raises:
          UserError: If the head model or the backgrounds cannot be read.
        """
        description = dataclasses.asdict(self)
        description["head_model"] = _PROCEDURAL
        if self.head_model:
            path = Path(self.head_model)
            description["head_model"] = f"{path.name} sha256:{file_checksum(path)}"
        if self.backgrounds:
            checksum = PictureBackgrounds(self.backgrounds).checksum
            name = Path(self.backgrounds).resolve().name
            description["backgrounds"] = f"{name} sha256:{checksum}"
        return description
