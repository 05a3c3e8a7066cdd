"""Times a training step by its parts, beside 2D GANs.

python -m benchmarks.training_speed --output=benchmarks/results/training_speed.json \
    --page=docs/benchmarks.md

The same networks as a plain 2D GAN take turns with the training. Each configuration has
a process of its own. With --stylegan2_ada, a clone of NVlabs/stylegan2-ada-pytorch is
timed before each configuration, on the CPU and with as many channels.
"""

import concurrent.futures
import multiprocessing
import sys

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
from benchmarks import report, stylegan2_ada_process
from benchmarks.training_step import measure, table
from tf_unsup3d.trained.configuration import Configuration

_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.", required=True)
_PAGE = flags.DEFINE_string("page", None, "Markdown page whose table is replaced.")
_GIN_CONFIGS = flags.DEFINE_multi_string(
    "gin_configs",
    [
        "gin_configs/heads32.gin",
        "gin_configs/faces64.gin",
        "gin_configs/faces128.gin",
    ],
    "Gin file of a training. May be repeated.",
)
_GIN_BINDINGS = flags.DEFINE_multi_string(
    "gin_bindings", [], "One parameter of all trainings."
)
_STYLEGAN2_ADA = flags.DEFINE_string(
    "stylegan2_ada", None, "Clone of NVlabs/stylegan2-ada-pytorch to compare with."
)
_PEER_PYTHON = flags.DEFINE_string(
    "peer_python", sys.executable, "Python with PyTorch, for --stylegan2_ada."
)
_ROUNDS = flags.DEFINE_integer("rounds", 20, "Counted calls.", lower_bound=1)


def main(argv: list[str]) -> None:
    """Measures each configuration and writes the results."""
    del argv
    results = []
    for gin_config in _GIN_CONFIGS.value:
        peer = _measure_peer(gin_config) if _STYLEGAN2_ADA.value else {}
        # A new process, for its peak memory.
        with concurrent.futures.ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn")
        ) as pool:
            arguments = gin_config, _GIN_BINDINGS.value, _ROUNDS.value
            result = pool.submit(measure, *arguments).result()
        results.append({**result, **peer})
    machine = report.describe_machine()
    report.write_json(_OUTPUT.value, {"machine": machine, "results": results})
    text = table(results)
    print(text)
    if _PAGE.value:
        where = f"{machine['cores']} cores of an {machine['processor']}"
        note = (
            f"Medians of {_ROUNDS.value} turns, on {where}, with TensorFlow "
            f"{machine['packages']['tensorflow']}."
        )
        report.replace_section(_PAGE.value, "training", f"{text}\n\n{note}")


def _measure_peer(gin_config: str) -> dict[str, dict[str, float]]:
    configuration = Configuration.from_files([gin_config], _GIN_BINDINGS.value)
    settings = stylegan2_ada_process.equal_settings(configuration)
    return {
        "stylegan2_ada": stylegan2_ada_process.measure(
            _PEER_PYTHON.value, _STYLEGAN2_ADA.value, settings
        )
    }


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
