"""An encoder with its card: trained, and with limits of what counts as explained."""

import numpy as np
import tensorflow as tf

from tf_unsup3d.reconstruction.encoder_training import PICTURES_PER_STEP, train_encoder
from tf_unsup3d.reconstruction.flags import limits_of
from tf_unsup3d.reconstruction.reconstructor import BATCH_SIZE, STEPS, Reconstructor
from tf_unsup3d.reconstruction.samples import draw_samples
from tf_unsup3d.trained.encoder_files import TrainedEncoder
from tf_unsup3d.trained.random_streams import calibration_key
from tf_unsup3d.trained.trained_model import TrainedModel

HELD_OUT = 128


def make_encoder_with_limits(
    model: TrainedModel,
    steps: int,
    *,
    seed: int = 0,
    held_out: int = HELD_OUT,
    fit_steps: int = STEPS,
    **sizes: int,
) -> TrainedEncoder:
    """Trains an encoder, and finds out how well held-out samples are reconstructed.

    Args:
      model: The model whose pictures the encoder is for.
      steps: Number of training steps.
      seed: Seed of the initial weights and of all samples.
      held_out: Number of samples that the limits of the flags are based on.
      fit_steps: Number of steps of the optimisation that limits are found for, besides
        0.
      **sizes: Sizes of the network that differ from the defaults of `Encoder`.

    Returns:
      The encoder.
    """
    network, records = train_encoder(model, steps, seed=seed, **sizes)
    card = {
        "steps": steps,
        "pictures": steps * PICTURES_PER_STEP,
        "seed": seed,
        "errors": records,
        "held_out": held_out,
        "limits": find_limits(model, TrainedEncoder(network, {}), held_out, fit_steps),
    }
    return TrainedEncoder(network, card)


def find_limits(
    model: TrainedModel,
    encoder: TrainedEncoder,
    held_out: int = HELD_OUT,
    fit_steps: int = STEPS,
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Finds the limits of the measures that are judged.

    Args:
      model: The model.
      encoder: Its encoder.
      held_out: Number of samples.
      fit_steps: Number of steps of the optimisation.
      seed: Seed of the samples.

    Returns:
      The limit of each measure, for estimates ("0") and for `fit_steps` steps.
    """
    batches = range(1, 1 + -(-held_out // BATCH_SIZE))
    make = tf.function(
        lambda key: draw_samples(model, BATCH_SIZE, key).pictures,
        autograph=False,
        jit_compile=False,
    )
    pictures = np.concatenate([make(calibration_key(seed, i)) for i in batches])
    reconstructor = Reconstructor(model, encoder)
    return {
        str(count): limits_of(
            reconstructor.fit(pictures[:held_out], steps=count).measures
        )
        for count in dict.fromkeys((0, fit_steps))
    }
