import numpy as np
import tensorflow as tf

from tf_unsup3d.models.layers import EqualizedConv, EqualizedDense, ModulatedConv


def test_modulated_convolution_is_that_of_modulated_weights():
    layer = ModulatedConv(5)
    layer.build([None, 6, 6, 3], [None, 4])
    layer.bias.assign(tf.random.stateless_normal([5], [1, 1]))
    inputs = tf.random.stateless_normal([2, 6, 6, 3], [1, 2])
    style = tf.random.stateless_normal([2, 4], [1, 3])
    outputs = layer(inputs, style)
    assert outputs.shape == (2, 6, 6, 5)
    # Karras et al. 2020, equations 1 and 3; the scale at run time drops out.
    for index, scales in enumerate(layer.style_scales(style)):
        weights = layer.kernel * scales[None, None, :, None]
        weights *= tf.math.rsqrt(tf.reduce_sum(weights**2, [0, 1, 2]))
        expected = tf.nn.conv2d(inputs[index : index + 1], weights, 1, "SAME")[0]
        np.testing.assert_allclose(outputs[index], expected + layer.bias, atol=1e-5)


def test_without_demodulation_the_style_scales_the_outputs():
    layer = ModulatedConv(3, 1, demodulate=False)
    layer.build([None, 4, 4, 8], [None, 4])
    inputs = tf.random.stateless_normal([1, 4, 4, 8], [1, 2])
    style = tf.random.stateless_normal([1, 4], [1, 3])
    layer.style_scales.bias.assign(tf.zeros([8]))
    np.testing.assert_allclose(
        layer(inputs, 2.0 * style), 2.0 * layer(inputs, style), atol=1e-5
    )


def test_equalized_layers_keep_the_variance_of_normal_inputs():
    inputs = tf.random.stateless_normal([64, 8, 8, 32], [1, 2])
    convolution = EqualizedConv(256, 1)
    convolution.build(inputs.shape)
    assert abs(np.var(convolution(inputs)) - 1.0) < 0.1
    # A slower layer starts with the same outputs.
    for multiplier in (1.0, 0.01):
        dense = EqualizedDense(256, 0.5, learning_rate_multiplier=multiplier)
        dense.build([None, 32])
        outputs = dense(tf.reshape(inputs, [-1, 32]))
        assert abs(np.var(outputs) - 1.0) < 0.1
        assert abs(np.mean(outputs) - 0.5) < 0.1
        # Its weights are larger by as much as its steps are smaller.
        assert abs(np.std(dense.kernel) * multiplier - 1.0) < 0.1
