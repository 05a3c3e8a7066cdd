"""Stops training at the step that makes numbers which are not finite."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_unsup3d.compat import variable_name


class NotFiniteError(Exception):
    """A tensor holds NaN or infinity.

    Args:
      name: What the tensor is.

    Attributes:
      name: What the tensor is.
    """

    def __init__(self, name: str):
        super().__init__(f"{name} is not finite")
        self.name = name


class Magnitudes(NamedTuple):
    """One number per tensor of a step, which is finite only if the tensor is.

    Attributes:
      losses: `[losses]` values of the losses and other measurements.
      gradients: `[variables]` half the squared norms of the gradients.
      weights: `[variables]` half the squared norms of the weights after the step.
    """

    losses: tf.Tensor
    gradients: tf.Tensor
    weights: tf.Tensor

    @classmethod
    def of(
        cls,
        losses: Iterable[tf.Tensor],
        gradients: Iterable[tf.Tensor],
        weights: Iterable[tf.Tensor],
    ) -> "Magnitudes":
        """Measures the tensors of a step in one pass over each, without copies."""
        return cls(
            tf.stack(list(losses)),
            tf.stack([tf.nn.l2_loss(gradient) for gradient in gradients]),
            tf.stack([tf.nn.l2_loss(weight) for weight in weights]),
        )

    def all_finite(self) -> tf.Tensor:
        """Returns `[]` bool, whether all tensors are finite."""
        return tf.reduce_all(tf.math.is_finite(tf.concat(self, 0)))

    def check(self, loss_names: Sequence[str], variable_names: Sequence[str]) -> None:
        """Names a tensor that is not finite.

        Args:
          loss_names: Names of the losses.
          variable_names: Names of the variables of the gradients and weights.

        Raises:
          NotFiniteError: A tensor is not finite. Losses come first, because they are
            the cause where gradients and weights are affected as well.
        """
        named = (
            (self.losses, loss_names),
            (self.gradients, [f"the gradient of {name}" for name in variable_names]),
            (self.weights, [f"the weight {name}" for name in variable_names]),
        )
        for values, value_names in named:
            for value, name in zip(values.numpy(), value_names, strict=True):
                if not np.isfinite(value):
                    raise NotFiniteError(name)


def check_variables(part: str, variables: Iterable[tf.Variable]) -> None:
    """Makes sure that variables are finite.

    Args:
      part: What they belong to.
      variables: The variables.

    Raises:
      NotFiniteError: One is not finite.
    """
    for variable in variables:
        if not np.isfinite(variable.numpy()).all():
            raise NotFiniteError(f"{variable_name(variable)} of the {part}")
