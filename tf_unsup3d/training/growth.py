"""Training on small pictures first (progressive growing, Karras et al. 2018)."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Growth:
    """The resolution of training as a function of the number of pictures seen.

    The generator has all of its layers from the start, and its objects are rendered at
    a lower resolution; only the discriminator grows. The soft layer of the renderer is
    one pixel wide, so it reaches further in small pictures.

    Attributes:
      start: First resolution.
      final: Last resolution, a power of two times `start`.
      stage_pictures: Number of pictures seen at each resolution before the last.
      fade_pictures: Number of pictures over which a new resolution is faded in.

    Raises:
      ValueError: The resolutions do not fit together, or a number is out of range.
    """

    start: int
    final: int
    stage_pictures: int = 0
    fade_pictures: int = 0

    def __post_init__(self) -> None:
        if self.final < 8 or self.final & (self.final - 1):
            raise ValueError(f"resolution {self.final} is not a power of two from 8 on")
        if self.start < 8:
            raise ValueError(f"start_resolution must be at least 8, got {self.start}")
        if self.start not in self.sizes:
            raise ValueError(
                f"start_resolution {self.start} is not {self.final} halved some times"
            )
        if self.start < self.final and self.stage_pictures < 1:
            raise ValueError("stage_pictures must be positive where pictures grow")
        if not 0 <= self.fade_pictures <= max(self.stage_pictures, 0):
            raise ValueError("fade_pictures must be within 0 and stage_pictures")

    @property
    def sizes(self) -> list[int]:
        """All resolutions, in ascending order."""
        sizes = [self.final]
        while sizes[0] > max(self.start, 8):
            sizes.insert(0, sizes[0] // 2)
        return sizes

    def at(self, pictures: int) -> tuple[int, float | None]:
        """Finds the stage that training has reached.

        Args:
          pictures: Number of pictures seen so far.

        Returns:
          The resolution, and how far it has been faded in: a number in [0, 1), or None
          if it is not being faded in.
        """
        stage = 0
        if self.start < self.final:
            stage = min(pictures // self.stage_pictures, len(self.sizes) - 1)
        faded = pictures - stage * self.stage_pictures
        if stage == 0 or faded >= self.fade_pictures:
            return self.sizes[stage], None
        return self.sizes[stage], faded / self.fade_pictures
