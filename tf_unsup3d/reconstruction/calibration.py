"""An encoder with its card: trained, and with limits of what counts as explained."""

import numpy as np
import tensorflow as tf

from tf_unsup3d.data.dataset import PictureSet
from tf_unsup3d.errors import UserError
from tf_unsup3d.reconstruction.encoder_training import PICTURES_PER_STEP, train_encoder
from tf_unsup3d.reconstruction.flags import limits_of
from tf_unsup3d.reconstruction.reconstructor import BATCH_SIZE, STEPS, Reconstructor
from tf_unsup3d.reconstruction.samples import draw_samples
from tf_unsup3d.trained.encoder_files import TrainedEncoder
from tf_unsup3d.trained.random_streams import calibration_key
from tf_unsup3d.trained.trained_model import TrainedModel

HELD_OUT = 128
# The limits are high quantiles, of which fewer pictures tell nothing.
LEAST_PICTURES = 16


def make_trained_encoder(
    model: TrainedModel, steps: int, *, seed: int = 0, **sizes: int
) -> TrainedEncoder:
    """Trains an encoder, which has no limits yet; see `with_limits`.

    Args:
      model: The model whose pictures the encoder is for.
      steps: Number of training steps.
      seed: Seed of the initial weights and of all samples.
      **sizes: Sizes of the network that differ from the defaults of `Encoder`.

    Returns:
      The encoder, with how it was trained on its card.
    """
    network, records = train_encoder(model, steps, seed=seed, **sizes)
    card = {
        "steps": steps,
        "pictures": steps * PICTURES_PER_STEP,
        "seed": seed,
        "errors": records,
    }
    return TrainedEncoder(network, card)


def with_limits(
    model: TrainedModel,
    encoder: TrainedEncoder,
    *,
    pictures: PictureSet | None = None,
    held_out: int = HELD_OUT,
    fit_steps: int = STEPS,
    seed: int = 0,
) -> TrainedEncoder:
    """Finds the limits of the measures that reconstructions are judged by.

    Args:
      model: The model.
      encoder: Its encoder.
      pictures: Pictures of objects like those of the model, which the limits are based
        on. None takes the model's own samples, which it explains better than pictures.
      held_out: Number of the pictures or samples, all if there are fewer.
      fit_steps: Number of steps of the optimisation that limits are found for, besides
        0.
      seed: Seed of the choice of pictures, or of the samples.

    Returns:
      The encoder with the limits on its card.

    Raises:
      UserError: There are fewer than `LEAST_PICTURES` pictures.
    """
    if pictures is None:
        source, chosen = "samples of the model", _own_samples(model, held_out, seed)
    else:
        check_enough(pictures)
        source, chosen = pictures.source, _some_of(pictures, held_out, seed)
    reconstructor = Reconstructor(model, encoder)
    limits = {
        str(count): limits_of(reconstructor.fit(chosen, steps=count).measures)
        for count in dict.fromkeys((0, fit_steps))
    }
    about = {"source": source, "pictures": len(chosen)}
    return encoder._replace(
        card={**encoder.card, "limits": limits, "limits_from": about}
    )


def check_enough(pictures: PictureSet) -> None:
    """Checks that pictures are enough to base limits on.

    Args:
      pictures: The pictures.

    Raises:
      UserError: There are fewer than `LEAST_PICTURES`.
    """
    if pictures.count < LEAST_PICTURES:
        raise UserError(
            f"limits need at least {LEAST_PICTURES} pictures, and {pictures.source} "
            f"has {pictures.count}"
        )


def _own_samples(model: TrainedModel, count: int, seed: int) -> np.ndarray:
    batches = range(1, 1 + -(-count // BATCH_SIZE))
    make = tf.function(
        lambda key: draw_samples(model, BATCH_SIZE, key).pictures,
        autograph=False,
        jit_compile=False,
    )
    samples = [make(calibration_key(seed, batch)) for batch in batches]
    return np.concatenate(samples)[:count]


def _some_of(pictures: PictureSet, count: int, seed: int) -> np.ndarray:
    batches = pictures.batches(BATCH_SIZE, seed=seed, repeat=False)
    taken = batches.take(-(-count // BATCH_SIZE)).as_numpy_iterator()
    with pictures.iterating():
        return np.concatenate(list(taken))[:count]
