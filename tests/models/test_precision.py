import types

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.models import precision
from tf_unsup3d.models.discriminator import Discriminator
from tf_unsup3d.models.precision import convolution_dtype, convolutions_in, convolve


def test_outside_a_scope_convolutions_are_float32():
    inputs = tf.random.stateless_normal([2, 8, 8, 3], [1, 2])
    kernel = tf.random.stateless_normal([3, 3, 3, 5], [3, 4])
    exact = tf.nn.conv2d(inputs, kernel, 1, "SAME")
    np.testing.assert_array_equal(convolve(inputs, kernel), exact)
    with convolutions_in(tf.bfloat16):
        rounded = convolve(inputs, kernel)
    assert rounded.dtype == tf.float32
    error = np.abs(rounded - exact).max() / np.abs(exact).max()
    assert 1e-4 < error < 2e-2
    np.testing.assert_array_equal(convolve(inputs, kernel), exact)


def test_a_model_and_its_gradients_nearly_agree_in_bfloat16():
    model = Discriminator(resolution=16, channel_base=256, channel_max=16)
    model.build([None, 16, 16, 3])
    pictures = tf.random.stateless_normal([8, 16, 16, 3], [1, 2])

    def gradients(dtype):
        with convolutions_in(dtype), tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.nn.softplus(model(pictures)))
        return tape.gradient(total, model.trainable_variables)

    pairs = zip(gradients(tf.float32), gradients(tf.bfloat16), strict=True)
    for exact, rounded in pairs:
        assert rounded.dtype == tf.float32
        exact, rounded = np.ravel(exact), np.ravel(rounded)
        cosine = exact @ rounded / np.linalg.norm(exact) / np.linalg.norm(rounded)
        assert cosine > 0.99


@pytest.mark.parametrize("fast", [True, False])
def test_names(monkeypatch, fast):
    monkeypatch.setattr(precision, "_has_fast_bfloat16", lambda: fast)
    assert convolution_dtype("float32") == tf.float32
    assert convolution_dtype("bfloat16") == tf.bfloat16
    assert convolution_dtype("auto") == (tf.bfloat16 if fast else tf.float32)
    with pytest.raises(ValueError, match="'float16' is not one of"):
        convolution_dtype("float16")


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ("fma avx2 avx512f avx512_vnni", False),
        ("fma avx2 avx512f avx512_bf16", True),
        ("fma amx_bf16 amx_tile", True),
        (None, False),
    ],
)
def test_processors_that_multiply_bfloat16_fast(monkeypatch, tmp_path, flags, fast):
    """By the file that Linux describes them in, or where there is none."""
    described = tmp_path / "cpuinfo"
    if flags is not None:
        described.write_text(f"processor\t: 0\nflags\t\t: fpu {flags}\n\n")

    def path(name):
        assert name == "/proc/cpuinfo"
        return described

    monkeypatch.setattr(precision, "pathlib", types.SimpleNamespace(Path=path))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert convolution_dtype("auto") == (tf.bfloat16 if fast else tf.float32)


@pytest.mark.parametrize(
    ("capabilities", "fast"),
    [
        ([(8, 0)], True),
        ([(7, 5)], False),
        ([(9, 0), (7, 0)], False),
        ([None], False),
    ],
)
def test_gpus_that_multiply_bfloat16_fast(monkeypatch, capabilities, fast):
    def details(capability):
        return {} if capability is None else {"compute_capability": capability}

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: capabilities)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", details)
    assert convolution_dtype("auto") == (tf.bfloat16 if fast else tf.float32)
