"""Times renderers side by side, and measures their memory.

python -m benchmarks.renderer_speed --output=docs/benchmarks/renderer_speed.json

How it is measured is said in docs/benchmarks.md.
"""

from absl import flags

from tf_unsup3d import cli  # Before TensorFlow is imported.

# isort: split
from benchmarks import renderers, report, speed
from tf_unsup3d.errors import UserError

NAMES = ["ours", "opengl", "deodr", "ptfrenderer", "tensorflow_graphics", "pytorch3d"]
PARTS = ("forward", "both")

_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.", required=True)
_PAGE = flags.DEFINE_string("page", None, "Markdown page whose tables to replace.")
_PLOT = flags.DEFINE_string("plot", None, "PNG file for the plots of growth.")
_RENDERERS = flags.DEFINE_list("renderers", NAMES, "Which to measure, ours first.")
_PTFRENDERER = flags.DEFINE_string("ptfrenderer", None, "Checkout of pTFrenderer.")
_RUNS = flags.DEFINE_integer("runs", 20, "Counted calls of each renderer.")
_GROWTH_RUNS = flags.DEFINE_integer("growth_runs", 7, "The same, for the plots.")
_LARGEST = flags.DEFINE_integer("largest", 1024, "Leaves out larger pictures.")
_SLOWEST = flags.DEFINE_float(
    "slowest", 60.0, "Seconds for one call from which on a renderer is left out."
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all chance.")


def main(argv: list[str]) -> None:
    """Measures what the flags ask for."""
    del argv
    unknown = set(_RENDERERS.value) - set(renderers.CLASSES)
    if unknown:
        raise UserError(f"no renderer {', '.join(sorted(unknown))}; see --help")
    names = _RENDERERS.value
    options = renderers.Options(ptfrenderer=_PTFRENDERER.value)
    settings = {"runs": _RUNS.value, "seed": _SEED.value}
    fitting = [work for work in speed.WORKLOADS if work.resolution <= _LARGEST.value]
    machine = report.describe_machine()
    titles, missing, by_workload, failed = {}, {}, {}, set()

    for workload in fitting:
        print(workload, flush=True)
        members = {n: (n, None) for n in names if n not in failed | set(missing)}
        # New processes, lest memory of an earlier size be there to be used again.
        with speed.Lineup(members, options, slowest=_SLOWEST.value) as lineup:
            titles |= lineup.titles
            missing |= lineup.missing
            found = lineup.measure(workload, **settings)
        by_workload[str(workload)] = found
        failed |= {name for name, one in found.items() if "failure" in one}
        for name, one in found.items():
            times = [speed.milliseconds(one[p]) for p in PARTS if one.get(p)]
            print(f"  {name}: {one.get('failure') or times}", flush=True)

    print("growth", flush=True)
    growth = {
        quantity: speed.measure_growth(
            [name for name in names if name in titles],
            options,
            [work for work in workloads if work.resolution <= _LARGEST.value],
            runs=_GROWTH_RUNS.value,
            seed=_SEED.value,
            slowest=0.1 * _SLOWEST.value,
        )
        for quantity, workloads in speed.GROWTH.items()
    }

    print("threads", flush=True)
    threads = speed.measure_threads(
        [name for name in names if name in titles and name not in failed],
        options,
        [work for work in fitting if work.batch == 1 and work.resolution <= 512],
        **settings,
    )
    result = {
        "machine": machine,
        "load_average_after": report.describe_machine()["load_average"],
        "settings": settings,
        "titles": titles,
        "workloads": by_workload,
        "growth": growth,
        "threads": threads,
        "not_available": missing,
    }
    result = report.write_json(_OUTPUT.value, result)
    if _PAGE.value:
        report.replace_section(_PAGE.value, "speed", speed.tables(result))
    if _PLOT.value:
        speed.plot_growth(result, _PLOT.value)


if __name__ == "__main__":
    cli.run(main)
