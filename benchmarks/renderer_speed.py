"""Times renderers side by side, and measures their memory.

python -m benchmarks.renderer_speed --output=benchmarks/results/renderer_speed.json

How it is measured is said in docs/benchmarks.md. An output file of the same machine and
settings is added to: what it has stays, unless it is named again. This op is measured
in every run, since ratios are those within a run.
"""

import os

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
from benchmarks import renderers, report, speed
from tf_unsup3d.errors import UserError

NAMES = ["ours", "opengl", "deodr", "ptfrenderer", "tensorflow_graphics", "pytorch3d"]
MEASURES = ["speed", "growth", "threads"]

_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.", required=True)
_PAGE = flags.DEFINE_string("page", None, "Markdown page whose tables to replace.")
_PLOT = flags.DEFINE_string("plot", None, "PNG file for the plots of growth.")
_RENDERERS = flags.DEFINE_list("renderers", NAMES, "Which to measure.")
_MEASURE = flags.DEFINE_multi_enum(
    "measure",
    MEASURES,
    MEASURES,
    "What to measure; the others only of renderers whose speed is measured or stored.",
)
_PTFRENDERER = flags.DEFINE_string("ptfrenderer", None, "Checkout of pTFrenderer.")
_RUNS = flags.DEFINE_integer("runs", 20, "Counted calls of each renderer.")
_SLOW_RUNS = flags.DEFINE_integer(
    "slow_runs",
    speed.SLOW_RUNS["both"],
    f"Counted calls of renderers that take more than {speed.SLOW_SECONDS:g} s for one.",
)
_SLOW_FORWARD_RUNS = flags.DEFINE_integer(
    "slow_forward_runs",
    speed.SLOW_RUNS["forward"],
    "Counted calls of the same without a gradient.",
)
_GROWTH_RUNS = flags.DEFINE_integer("growth_runs", 7, "Counted calls for the plots.")
_SMALLEST = flags.DEFINE_integer("smallest", 0, "Leaves out smaller pictures.")
_LARGEST = flags.DEFINE_integer("largest", 1024, "Leaves out larger pictures.")
_SLOWEST = flags.DEFINE_float(
    "slowest", 60.0, "Seconds for one call from which on a renderer is left out."
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all random numbers.")


def _conditions(result):
    """What must not differ where results are put together."""
    machine = {key: result["machine"][key] for key in ("processor", "cores")}
    return machine | result["settings"]


def _start(names):
    """The result to fill, with what the output file has, and this run in it."""
    run = {"machine": report.describe_machine()}
    result = {
        **run,
        "settings": {"runs": _RUNS.value, "seed": _SEED.value},
        "added": [],
        "titles": {},
        "not_available": {},
        "workloads": {},
        "growth": {quantity: [] for quantity in speed.GROWTH},
        "threads": {},
    }
    stored = report.read_json(_OUTPUT.value, result, _conditions)
    if stored is None:
        return result, result
    run |= {"renderers": names, "measures": _MEASURE.value}
    stored["added"].append(run)
    return stored, run


def _save(result, run):
    """Stores what has been measured so far, and puts it into the page."""
    run["load_average_after"] = report.describe_machine()["load_average"]
    stored = report.write_json(_OUTPUT.value, result)
    if not _PAGE.value:
        return
    content = speed.tables(stored)
    if _PLOT.value and os.path.exists(_PLOT.value):
        path = os.path.relpath(_PLOT.value, os.path.dirname(_PAGE.value) or ".")
        content += f"\n\n![Time against triangles and pixels]({path})"
    report.replace_section(_PAGE.value, "speed", content)


def _fitting(sizes):
    return [
        size for size in sizes if _SMALLEST.value <= size.resolution <= _LARGEST.value
    ]


def _measure_speed(result, run, names, options):
    slow_runs = {"forward": _SLOW_FORWARD_RUNS.value, "both": _SLOW_RUNS.value}
    failed = set()
    for size in _fitting(speed.SIZES):
        if failed.issuperset(names):
            break
        print(size, flush=True)
        members = {
            name: (name, None)
            for name in [speed.REFERENCE, *names]
            if name not in failed
        }
        # New processes, lest memory of an earlier size be there to be used again.
        with speed.Lineup(
            members, options, slowest=_SLOWEST.value, slow_runs=slow_runs
        ) as lineup:
            if speed.REFERENCE in lineup.missing:
                raise UserError(lineup.missing[speed.REFERENCE])
            found = lineup.measure(size, **result["settings"])
        speed.add_reference(found)
        failed |= set(lineup.missing)
        for name in names:
            if name in lineup.missing:
                result["not_available"][name] = lineup.missing[name]
            if name not in found:
                continue
            one = found[name]
            result["not_available"].pop(name, None)
            result["titles"].setdefault(name, lineup.titles[name])
            result["workloads"].setdefault(str(size), {})[name] = one
            if "failure" in one:
                failed.add(name)
            times = [speed.milliseconds(one[p]) for p in speed.PARTS if one.get(p)]
            print(f"  {name}: {one.get('failure') or times}", flush=True)
        _save(result, run)


def main(argv: list[str]) -> None:
    """Measures what the flags ask for."""
    del argv
    names = _RENDERERS.value
    unknown = set(names) - set(renderers.CLASSES)
    if unknown:
        raise UserError(f"no renderer {', '.join(sorted(unknown))}; see --help")
    options = renderers.Options(ptfrenderer=_PTFRENDERER.value)
    result, run = _start(names)
    if run is result:
        names = list(dict.fromkeys([speed.REFERENCE, *names]))
    if "speed" in _MEASURE.value:
        _measure_speed(result, run, names, options)
    there = [name for name in names if name in result["titles"]]
    if "growth" in _MEASURE.value:
        for quantity, sizes in speed.GROWTH.items():
            print(f"growth of {quantity}", flush=True)
            measured = speed.measure_growth(
                [speed.REFERENCE, *there],
                options,
                _fitting(sizes),
                runs=_GROWTH_RUNS.value,
                seed=_SEED.value,
                slowest=0.1 * _SLOWEST.value,
            )
            speed.merge_growth(result["growth"][quantity], measured, there)
            _save(result, run)
    if _PLOT.value:
        speed.plot_growth(result, _PLOT.value)
    if "threads" in _MEASURE.value:
        single = [
            size
            for size in _fitting(speed.SIZES)
            if size.batch == 1 and size.resolution <= 512
        ]
        for name in there:
            print(f"threads of {name}", flush=True)
            measured = speed.measure_threads(
                name, options, single, **result["settings"]
            )
            result["threads"].setdefault(name, {}).update(measured)
            _save(result, run)


if __name__ == "__main__":
    cli.run(main)
