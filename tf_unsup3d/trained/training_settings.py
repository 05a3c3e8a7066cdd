"""The settings of training."""

import dataclasses

from tf_unsup3d.models.augmentation import DifferentiableAugmentation
from tf_unsup3d.trained.rate_decay import RateDecay


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training run, apart from those of the models and the renderer.

    gin files bind them as parameters of `Trainer`, such as `Trainer.batch_size`.

    Attributes:
      batch_size: Number of pictures per step, over all devices.
      gradient_accumulation: Number of parts into which each device divides its share of
        the batch. It computes them one after the other, which takes less memory.
      steps: Number of steps after which training is finished.
      seed: Seed of all random choices, below 2**32.
      mirror: Whether to mirror each real picture with probability one half.
      augmentation: Random changes of real and drawn pictures before the discriminator,
        or None. Small sets need them; they slow learning on large ones.
      style_mixing: Probability that the fine levels of an object have another style
        than its coarse ones (mixing regularisation, Karras et al. 2019).
      start_resolution: Height and width of the pictures that training starts with; see
        `Growth`. 0 stands for the full resolution.
      stage_pictures: Number of pictures seen at each resolution before the last.
      fade_pictures: Number of pictures over which a new resolution is faded in.
      generator_rate: Learning rate of the generator's Adam optimizer.
      discriminator_rate: Learning rate of the discriminator's Adam optimizer.
      rate_decay: How both learning rates fall, or None if they do not.
      r1_gamma: Strength of the gradient penalty on real pictures.
      r1_interval: Number of steps from one penalty to the next (lazy regularisation,
        Karras et al. 2020).
      folding_weight: Weight of the penalty on parts of the surface that are turned
        inside out.
      hidden_weight: Weight of the penalty on roughness of the hidden surface; see
        `losses.hidden_roughness`.
      convolution_dtype: Precision of convolutions: "auto", "bfloat16" or "float32"; see
        `precision.convolution_dtype`.
      ema_pictures: Half-life of the generator's moving average, in pictures. Early in
        training it is limited to an eighth of the pictures seen.
      log_interval: Number of steps between two records.
      checkpoint_interval: Number of steps between two checkpoints.
      sheet_interval: Number of steps between two sheets of samples.
      keep_checkpoints: Number of checkpoints that are kept, the newest ones.
      best_metric: Measurement at the sheets by which the best checkpoint, for which it
        is smallest, is kept besides the newest ones: "score/kid", or an alarm such as
        "alarm/back_spikiness". Empty keeps none.
      divergence_retries: How many times to go back to the last checkpoint when a loss,
        gradient or weight is no longer finite, before training ends.
      divergence_rate_factor: Factor on both learning rates of the checkpoint each time
        that training goes back to it. 1 leaves them unchanged.

    Raises:
      ValueError: A number is out of range.
    """

    batch_size: int = 16
    gradient_accumulation: int = 1
    steps: int = 100_000
    seed: int = 0
    mirror: bool = True
    augmentation: DifferentiableAugmentation | None = None
    style_mixing: float = 0.0
    start_resolution: int = 0
    stage_pictures: int = 0
    fade_pictures: int = 0
    generator_rate: float = 0.002
    discriminator_rate: float = 0.002
    rate_decay: RateDecay | None = None
    r1_gamma: float = 2.0
    r1_interval: int = 8
    folding_weight: float = 1.0
    hidden_weight: float = 0.0
    convolution_dtype: str = "auto"
    ema_pictures: float = 5_000.0
    log_interval: int = 50
    checkpoint_interval: int = 500
    sheet_interval: int = 500
    keep_checkpoints: int = 3
    best_metric: str = ""
    divergence_retries: int = 2
    divergence_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        for name in (
            "batch_size",
            "gradient_accumulation",
            "r1_interval",
            "ema_pictures",
            "log_interval",
            "checkpoint_interval",
            "sheet_interval",
            "keep_checkpoints",
            "divergence_rate_factor",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and value < 0:
                raise ValueError(f"{field.name} must not be negative, got {value}")
        if self.seed >= 2**32:  # Keras takes no larger one.
            raise ValueError(f"seed must be below 2**32, got {self.seed}")
        for name in ("style_mixing", "divergence_rate_factor"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} must be at most 1, got {getattr(self, name)}")
