"""Times a training step by its parts, beside the same networks as a plain 2D GAN.

python -m benchmarks.training_speed --output=benchmarks/results/training_speed.json \
    --page=docs/benchmarks.md

What is compared takes turns. Each configuration has a process of its own.
"""

import concurrent.futures
import multiprocessing
import pathlib
import resource
import tempfile

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
from benchmarks import report, training
from benchmarks.training_step import TrainingWorkload, time_in_turns
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
_ROUNDS = flags.DEFINE_integer("rounds", 20, "Counted calls.", lower_bound=1)
_PICTURES = 256
# The networks of the generator; what it takes beside them is shape and mesh.
_NETWORKS = ("mapping", "synthesis of objects", "synthesis of backgrounds")


def measure(gin_config: str, bindings: list[str], rounds: int) -> dict:
    """Measures one configuration.

    Args:
      gin_config: The gin file.
      bindings: Further parameters.
      rounds: Number of counted calls.

    Returns:
      Milliseconds of steps and parts by name, sizes and peak memory.
    """
    configuration = Configuration.from_files([gin_config], bindings)
    with tempfile.TemporaryDirectory() as folder:
        pictures = training.write_pictures(
            pathlib.Path(folder) / "pictures", _PICTURES, configuration.resolution
        )
        workload = TrainingWorkload(configuration, pictures)
        steps = time_in_turns(workload.steps, rounds)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        parts = time_in_turns(workload.parts, rounds)
    generator = parts.pop("generator")
    parts["shape and mesh"] = generator - sum(parts[name] for name in _NETWORKS)
    parts["rest"] = steps["3D"] - sum(parts.values())
    interval = configuration.training.r1_interval
    return {
        "configuration": pathlib.Path(gin_config).stem,
        "bindings": bindings,
        "resolution": configuration.resolution,
        "batch_size": configuration.training.batch_size,
        "rounds": rounds,
        "milliseconds": {
            kind: {name: 1e3 * seconds for name, seconds in found.items()}
            for kind, found in (("steps", steps), ("parts", parts))
        },
        # Over an interval, one of whose steps has the penalty.
        "ratio": _mean(steps, "3D", interval) / _mean(steps, "2D", interval),
        "pictures_per_second": configuration.training.batch_size
        / _mean(steps, "3D", interval),
        "peak_megabytes": memory / 1024,
    }


def _mean(steps: dict[str, float], kind: str, interval: int) -> float:
    return steps[kind] + (steps[f"{kind} with R1"] - steps[kind]) / interval


def table(results: list[dict]) -> str:
    """The results as a Markdown table, with a column for each configuration."""
    first = results[0]["milliseconds"]
    rows = [
        [name, *(f"{r['milliseconds'][kind][name]:.1f}" for r in results)]
        for kind in ("steps", "parts")
        for name in first[kind]
    ]
    for title, name, form in (
        ("3D in 2D steps", "ratio", ".2f"),
        ("pictures per second", "pictures_per_second", ".0f"),
        ("peak memory (MiB)", "peak_megabytes", ".0f"),
    ):
        rows.append([title, *(format(r[name], form) for r in results)])
    header = [
        "milliseconds",
        *(
            f"{r['configuration']}, {r['resolution']} x {r['resolution']}, "
            f"batch {r['batch_size']}"
            for r in results
        ),
    ]
    return report.markdown_table(header, rows)


def main(argv: list[str]) -> None:
    """Measures each configuration and writes the results."""
    del argv
    results = []
    for gin_config in _GIN_CONFIGS.value:
        # A new process, for its peak memory.
        with concurrent.futures.ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn")
        ) as pool:
            arguments = gin_config, _GIN_BINDINGS.value, _ROUNDS.value
            results.append(pool.submit(measure, *arguments).result())
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


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
