"""Measures how well renderers' gradients predict the change of their own pictures.

python -m benchmarks.renderer_gradients \\
    --output=benchmarks/results/renderer_gradients.json

What the numbers mean is said in docs/benchmarks.md. An output file with the same
settings is added to, so that slow renderers can be measured apart, at low resolutions;
one with others is refused.
"""

from absl import flags

from tf_unsup3d.programs import cli  # Before TensorFlow is imported.

# isort: split
from benchmarks import gradients, renderers, report, workloads
from tf_unsup3d.errors import UserError

# Everything that has gradients, in float64 first.
NAMES = ["ours64", "ours_hard", "deodr", "ptfrenderer64"]
NAMES += ["ours", "ptfrenderer", "tensorflow_graphics", "pytorch3d"]

_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.", required=True)
_PAGE = flags.DEFINE_string("page", None, "Markdown page whose tables to replace.")
_RENDERERS = flags.DEFINE_list("renderers", NAMES, "Which to measure.")
_PTFRENDERER = flags.DEFINE_string("ptfrenderer", None, "Checkout of pTFrenderer.")
_RESOLUTIONS = flags.DEFINE_list(
    "resolutions", ["16", "32", "64", "128", "256"], "Heights and widths of pictures."
)
_WORKLOADS = flags.DEFINE_integer(
    "workloads", 25, "Workloads of each kind and resolution."
)
_DIRECTIONS = flags.DEFINE_integer("directions", 4, "Directions for each workload.")
_SLOWEST = flags.DEFINE_float(
    "slowest", 1.5, "Processor seconds a picture from which on a renderer is left out."
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all random numbers.")


def _measure(renderer, kind, resolutions):
    """By resolution, up to the first that is too slow, which has None."""
    measured = {}
    for resolution in resolutions:
        found = gradients.measure(
            renderer,
            kind,
            resolution,
            count=_WORKLOADS.value,
            directions=_DIRECTIONS.value,
            seed=_SEED.value,
            slowest=_SLOWEST.value,
        )
        place = f"{renderer.title}, {kind}, {resolution}²"
        measured[str(resolution)] = found
        if found is None:
            print(f"{place}: too slow", flush=True)
            break
        errors = " ".join(f"{error:.2g}" for error in found["percentiles"].values())
        print(f"{place}: {errors}", flush=True)
    return measured


def _continue(result):
    """Takes over what the output file has."""
    stored = report.read_json(
        _OUTPUT.value,
        result,
        lambda one: {**one["settings"], "kinds": one["kinds"]},
    )
    if stored is None:
        return
    resolutions = {*stored["resolutions"], *result["resolutions"]}
    result["resolutions"] = sorted(resolutions)
    for key in ("titles", "measured"):
        result[key] = stored[key]


def main(argv: list[str]) -> None:
    """Measures what the flags ask for."""
    del argv
    unknown = set(_RENDERERS.value) - set(NAMES)
    if unknown:
        raise UserError(f"no renderer {', '.join(sorted(unknown))}; see --help")
    options = renderers.Options(ptfrenderer=_PTFRENDERER.value)
    result = {
        "machine": report.describe_machine(),
        "settings": {
            "workloads": _WORKLOADS.value,
            "directions": _DIRECTIONS.value,
            "seed": _SEED.value,
        },
        "kinds": list(workloads.KINDS),
        "resolutions": [int(size) for size in _RESOLUTIONS.value],
        "titles": {},
        "measured": {},
        "not_available": {},
    }
    resolutions = result["resolutions"]
    _continue(result)
    for name in _RENDERERS.value:
        try:
            renderer = renderers.create(name, options)
        except renderers.NotAvailable as error:
            result["not_available"][name] = str(error)
            print(f"{name}: {error}", flush=True)
        else:
            result["titles"][name] = renderer.title
            result["measured"][name] = {
                kind: _measure(renderer, kind, resolutions) for kind in workloads.KINDS
            }
        # An interrupted run leaves what it has measured.
        stored = report.write_json(_OUTPUT.value, result)
        if _PAGE.value:
            report.replace_section(_PAGE.value, "gradients", gradients.tables(stored))


if __name__ == "__main__":
    cli.run(main)
