"""How a generator is trained, or was."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training run that neither models nor renderer have.

    gin files set them as `Trainer.batch_size` and so on.

    Attributes:
      batch_size: Pictures per step, over all devices.
      steps: Number of steps after which training is finished.
      seed: Seed of everything random.
      mirror: Whether each real picture is mirrored with probability one half.
      start_resolution: Height and width of the first pictures that are trained on, see
        `Growth`; 0 is the full resolution from the beginning.
      stage_pictures: Pictures seen at each resolution before the last.
      fade_pictures: Pictures over which a new resolution is faded in.
      generator_rate: Learning rate of the generator's Adam.
      discriminator_rate: Learning rate of the discriminator's Adam.
      r1_gamma: Strength of the gradient penalty on real pictures.
      r1_interval: Steps from one penalty to the next (lazy regularisation, Karras et
        al. 2020).
      folding_weight: Weight of the penalty on surface that turns inside out.
      hidden_weight: Weight of the penalty on rough surface that no picture shows, see
        `losses.hidden_roughness`.
      convolution_dtype: "auto", "bfloat16" or "float32", see
        `precision.convolution_dtype`.
      ema_pictures: Half-life in pictures of the generator's moving average; early in
        training at most an eighth of the pictures seen.
      log_interval: Steps between two records.
      checkpoint_interval: Steps between two checkpoints.
      sheet_interval: Steps between two sheets of samples.

    Raises:
      ValueError: A number is out of range.
    """

    batch_size: int = 16
    steps: int = 100_000
    seed: int = 0
    mirror: bool = True
    start_resolution: int = 0
    stage_pictures: int = 0
    fade_pictures: int = 0
    generator_rate: float = 0.002
    discriminator_rate: float = 0.002
    r1_gamma: float = 2.0
    r1_interval: int = 8
    folding_weight: float = 1.0
    hidden_weight: float = 0.0
    convolution_dtype: str = "auto"
    ema_pictures: float = 5_000.0
    log_interval: int = 50
    checkpoint_interval: int = 500
    sheet_interval: int = 500

    def __post_init__(self) -> None:
        for name in (
            "batch_size",
            "r1_interval",
            "ema_pictures",
            "log_interval",
            "checkpoint_interval",
            "sheet_interval",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str) and value < 0:
                raise ValueError(f"{field.name} must not be negative, got {value}")
