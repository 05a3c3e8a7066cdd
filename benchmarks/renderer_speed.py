"""Times renderers side by side, and measures their memory.

python -m benchmarks.renderer_speed --output=docs/benchmarks/renderer_speed.json

How it is measured is said in docs/benchmarks.md.
"""

import os

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


def _save(result):
    """Stores what has been measured so far, and puts it into the page."""
    result["load_average_after"] = report.describe_machine()["load_average"]
    stored = report.write_json(_OUTPUT.value, result)
    if not _PAGE.value:
        return
    content = speed.tables(stored)
    if _PLOT.value and os.path.exists(_PLOT.value):
        path = os.path.relpath(_PLOT.value, os.path.dirname(_PAGE.value) or ".")
        content += f"\n\n![Time against triangles and pixels]({path})"
    report.replace_section(_PAGE.value, "speed", content)


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
    result = {
        "machine": report.describe_machine(),
        "settings": settings,
        "titles": {},
        "not_available": {},
        "workloads": {},
        "growth": {},
        "threads": {},
    }
    failed = set()
    for workload in fitting:
        print(workload, flush=True)
        left_out = failed | set(result["not_available"])
        members = {name: (name, None) for name in names if name not in left_out}
        # New processes, lest memory of an earlier size be there to be used again.
        with speed.Lineup(members, options, slowest=_SLOWEST.value) as lineup:
            result["titles"] |= lineup.titles
            result["not_available"] |= lineup.missing
            found = lineup.measure(workload, **settings)
        result["workloads"][str(workload)] = found
        failed |= {name for name, one in found.items() if "failure" in one}
        for name, one in found.items():
            times = [speed.milliseconds(one[p]) for p in PARTS if one.get(p)]
            print(f"  {name}: {one.get('failure') or times}", flush=True)
        _save(result)

    there = [name for name in names if name in result["titles"]]
    for quantity, workloads in speed.GROWTH.items():
        print(f"growth of {quantity}", flush=True)
        result["growth"][quantity] = speed.measure_growth(
            there,
            options,
            [work for work in workloads if work.resolution <= _LARGEST.value],
            runs=_GROWTH_RUNS.value,
            seed=_SEED.value,
            slowest=0.1 * _SLOWEST.value,
        )
        _save(result)
    if _PLOT.value:
        speed.plot_growth(result, _PLOT.value)

    single = [work for work in fitting if work.batch == 1 and work.resolution <= 512]
    for name in there:
        print(f"threads of {name}", flush=True)
        result["threads"][name] = speed.measure_threads(
            name, options, single, **settings
        )
        _save(result)


if __name__ == "__main__":
    cli.run(main)
