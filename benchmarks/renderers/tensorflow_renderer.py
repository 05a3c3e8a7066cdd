"""What the renderers that are written with TensorFlow have in common."""

import abc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from benchmarks.renderers.base import DifferentiableRenderer, Options
from benchmarks.workload import Workload

# Each shape is compiled anew, on purpose.
tf.get_logger().setLevel("ERROR")


class TensorFlowRenderer(DifferentiableRenderer):
    """Compiles the picture and its gradient with `tf.function`, once for each shape."""

    def __init__(self, options: Options):
        super().__init__(options)
        self._draw = tf.function(self.picture, autograph=False)
        self._differentiate = tf.function(self._gradients, autograph=False)

    @abc.abstractmethod
    def picture(self, workload: dict[str, tf.Tensor]) -> tf.Tensor:
        """Draws with TensorFlow ops.

        Args:
          workload: the fields of `Workload` as tensors, and `uv_vertices`.

        Returns:
          [batch, height, width, 3].
        """

    def _gradients(self, workload, weights):
        sources = (workload["vertices"], workload["texture"])
        with tf.GradientTape() as tape:
            tape.watch(sources)
            value = tf.reduce_sum(weights * self.picture(workload))
        gradients = tape.gradient(value, sources, unconnected_gradients="zero")
        return tuple(tf.convert_to_tensor(gradient) for gradient in gradients)

    def load(self, workload: Workload) -> dict[str, tf.Tensor]:
        fields = {**vars(workload), "uv_vertices": workload.uv_vertices}
        return {
            name: tf.constant(
                value, self.dtype if value.dtype == np.float64 else tf.int32
            )
            for name, value in fields.items()
        }

    def move(self, loaded, vertices):
        return {**loaded, "vertices": tf.constant(vertices, self.dtype)}

    def weigh(self, weights):
        return tf.constant(weights, self.dtype)

    def draw(self, loaded):
        return self._draw(loaded)

    def differentiate(self, loaded, weights):
        return self._differentiate(loaded, weights)

    def to_numpy(self, result):
        return result.numpy()
