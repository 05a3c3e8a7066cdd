"""Trains on the GPU and on the CPU, and compares the first losses and the time.

python -m benchmarks.gpu_training --output=build/gpu_training.json

`make gpu-check-tf` calls this; docs/gpu.md says what is compared.
"""

import pathlib
import tempfile

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
import tensorflow as tf

from benchmarks import report, training
from tf_unsup3d.errors import UserError
from tf_unsup3d.trained.configuration import Configuration

_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.", required=True)
_GIN_CONFIGS = flags.DEFINE_multi_string(
    "gin_configs", ["gin_configs/heads32.gin"], "Gin files of the training."
)
_STEPS = flags.DEFINE_integer("steps", 200, "Steps on each device.", lower_bound=1)
_PICTURES = 256


def main(argv: list[str]) -> None:
    """Trains on both devices and compares."""
    del argv
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        raise UserError(
            "TensorFlow sees no GPU here: it needs one, with its driver, and CUDA (pip "
            "install 'tensorflow[and-cuda]')"
        )
    # Otherwise the GPU rounds the factors of products to 10 bits.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    bindings = [
        f"Trainer.steps = {_STEPS.value}",
        f"Trainer.sheet_interval = {_STEPS.value}",
        "Trainer.log_interval = 1",
        'Trainer.convolution_dtype = "float32"',
    ]
    configuration = Configuration.from_files(_GIN_CONFIGS.value, bindings)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        pictures = training.write_pictures(
            folder / "pictures", _PICTURES, configuration.resolution
        )
        start = folder / "start"
        training.write_start(configuration, start)
        cpu = training.train("/CPU:0", configuration, pictures, folder / "cpu", start)
        print(f"CPU: {cpu.seconds_per_step:.4f} s a step", flush=True)
        gpu = training.train("/GPU:0", configuration, pictures, folder / "gpu", start)
        print(f"GPU: {gpu.seconds_per_step:.4f} s a step", flush=True)
    differences = training.differences(gpu, cpu)
    index = training.first_difference(differences)
    details = tf.config.experimental.get_device_details(gpus[0])
    report.write_json(
        _OUTPUT.value,
        {
            "machine": report.describe_machine(),
            "gpu": details.get("device_name"),
            "steps": _STEPS.value,
            "passed": index is None,
            "differences": differences,
            "bounds": [training.FIRST_BOUND, training.LAST_BOUND],
            "seconds_per_step": {
                "cpu": cpu.seconds_per_step,
                "gpu": gpu.seconds_per_step,
            },
            "losses": {"cpu": cpu.losses, "gpu": gpu.losses},
        },
    )
    if index is not None:
        raise UserError(
            f"at step {index + 1} the losses of GPU and CPU differ by "
            f"{differences[index]:.2g}; see {_OUTPUT.value}"
        )
    print(f"losses differ by at most {max(differences):.2g} in the first steps")


if __name__ == "__main__":
    cli.run(main)
