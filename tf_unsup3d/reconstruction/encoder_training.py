"""Training of an encoder on a generator's own samples."""

import keras
import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.errors import UserError
from tf_unsup3d.models import precision
from tf_unsup3d.models.encoder import Encoded, Encoder
from tf_unsup3d.reconstruction.encoder_sizes import encoder_sizes
from tf_unsup3d.reconstruction.parameters import angle_units, from_framing, to_framing
from tf_unsup3d.reconstruction.samples import (
    LabelledSamples,
    draw_samples,
    light_size,
)
from tf_unsup3d.trained.random_streams import calibration_key, encoder_key
from tf_unsup3d.trained.trained_model import TrainedModel

# A step takes this many objects, and this many pictures of each.
_OBJECTS = 16
_VIEWS = 3
PICTURES_PER_STEP = _OBJECTS * _VIEWS
_HELD_OUT = 64
_LEARNING_RATE = 0.005
_RECORDS = 10
# Weights of the errors of viewpoint, framing and light beside that of the codes.
_VIEWPOINT_WEIGHT = 4.0
_FRAMING_WEIGHT = 1.0
_LIGHT_WEIGHT = 2.0
# Largest strength of what pictures are spoiled with, so that the estimates do not rest
# on traces that other pictures lack: noise, in units of [-1, 1], and the weight of a
# blurred copy.
_NOISE = 0.15
_BLUR = 1.0


def encoder_loss(
    model: TrainedModel, encoded: Encoded, samples: LabelledSamples
) -> dict[str, tf.Tensor]:
    """Computes the errors of estimates.

    The errors along the axes of the styles count by the variance of the styles along
    them, so that their sum is that of the styles themselves.

    Args:
      model: The model that made the samples.
      encoded: The estimates of the samples' pictures.
      samples: The samples.

    Returns:
      By these names:
        codes: Squared error of the styles relative to their variance; 1 for the mean
          style.
        viewpoints: Mean squared error of the angles, in units of `angle_units`.
        framing: Mean squared error of the framing, in the units of `to_framing`.
        light: Mean squared error of the parameters of the light; 0 without lamps.
    """
    weights = tf.square(tf.constant(model.style_distribution.deviations))
    errors = tf.square(encoded.codes - samples.codes)
    angles = samples.viewpoints / angle_units(model)
    losses = {
        "codes": tf.reduce_mean(errors * weights) / tf.reduce_mean(weights),
        "viewpoints": tf.reduce_mean(tf.square(encoded.angles - angles)),
        "framing": tf.reduce_mean(
            tf.square(encoded.framing - from_framing(samples.framing))
        ),
        "light": tf.zeros([]),
    }
    if light_size(model):
        light = tf.sigmoid(encoded.light)
        losses["light"] = tf.reduce_mean(tf.square(light - samples.light))
    return losses


def train_encoder(
    model: TrainedModel, steps: int, *, seed: int = 0, **sizes: int
) -> tuple[Encoder, list[dict[str, float]]]:
    """Trains an encoder on pictures of random objects, in each step other ones.

    The learning rate falls to zero along a cosine, so that the result does not depend
    on the last batches.

    Args:
      model: The model whose pictures the encoder is for.
      steps: Number of training steps.
      seed: Seed of the initial weights and of the pictures.
      **sizes: Sizes of the network that differ from the defaults of `Encoder`.

    Returns:
      The encoder, and records of `step` and of the errors of held-out samples; see
      `encoder_loss`.
    """
    keras.utils.set_random_seed(seed)
    encoder = make_encoder(model, **sizes)
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps), beta_2=0.99
    )
    optimizer.build(encoder.trainable_variables)
    dtype = precision.convolution_dtype("auto")

    @tf.function(autograph=False, jit_compile=False)
    def update(key: tf.Tensor) -> None:
        with precision.convolutions_in(dtype):
            framing = to_framing(_random_framing(PICTURES_PER_STEP, key))
            samples = draw_samples(model, _OBJECTS, key, _VIEWS, framing=framing)
            spoiled = _spoil(samples.pictures, key)
            with tf.GradientTape() as tape:
                losses = encoder_loss(model, encoder(spoiled), samples)
                loss = losses["codes"] + _VIEWPOINT_WEIGHT * losses["viewpoints"]
                loss += _FRAMING_WEIGHT * losses["framing"]
                loss += _LIGHT_WEIGHT * losses["light"]
        gradients = tape.gradient(loss, encoder.trainable_variables)
        optimizer.apply_gradients(
            zip(gradients, encoder.trainable_variables, strict=True)
        )

    key = calibration_key(seed, 0)
    framing = to_framing(_random_framing(_HELD_OUT, key))
    held_out = draw_samples(model, _HELD_OUT, key, framing=framing)
    records = []
    for step in tqdm(range(1, steps + 1), desc="encoder", unit="step", disable=None):
        update(encoder_key(seed, step))
        if step % max(1, steps // _RECORDS) == 0 or step == steps:
            losses = encoder_loss(model, encoder(held_out.pictures), held_out)
            values = {name: float(value) for name, value in losses.items()}
            records.append({"step": step, **values})
    return encoder, records


def make_encoder(model: TrainedModel, **sizes: int) -> Encoder:
    """Builds an encoder for a model, with random weights.

    Args:
      model: The model.
      **sizes: Sizes of the network that differ from the defaults of `Encoder`.

    Returns:
      The encoder.

    Raises:
      UserError: No encoder fits the model.
    """
    try:
        encoder = Encoder(**encoder_sizes(model), name="encoder", **sizes)
    except ValueError as error:
        raise UserError(f"no encoder fits this model: {error}") from error
    encoder.build([None, model.resolution, model.resolution, 3])
    return encoder


def _random_framing(count: int, key: tf.Tensor) -> tf.Tensor:
    """Values for `to_framing`: most pictures are moved a little, some a lot."""
    strengths = tf.random.stateless_uniform([count, 1], key + [3, 0])
    return strengths * tf.random.stateless_normal([count, 3], key + [4, 0])


def _spoil(pictures: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """Adds noise and blur, of a random strength in each picture."""
    count = tf.shape(pictures)[0]
    strengths = tf.random.stateless_uniform([2, count, 1, 1, 1], key + [1, 0])
    # Most pictures are spoiled a little, some a lot.
    noise, blur = tf.unstack(strengths**3)
    blurred = tf.nn.avg_pool2d(pictures, 3, 1, "SAME")
    pictures += _BLUR * blur * (blurred - pictures)
    normal = tf.random.stateless_normal(tf.shape(pictures), key + [2, 0])
    return pictures + _NOISE * noise * normal
