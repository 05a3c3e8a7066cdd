"""Measures how well renderers' gradients predict the change of their own pictures.

python -m benchmarks.renderer_gradients --output=docs/benchmarks/renderer_gradients.json

What the numbers mean is said in docs/benchmarks.md.
"""

from absl import flags

from tf_unsup3d import cli  # Before TensorFlow is imported.

# isort: split
from benchmarks import gradients, renderers, report, scenes
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
_SCENES = flags.DEFINE_integer("scenes", 25, "Scenes of each kind and resolution.")
_DIRECTIONS = flags.DEFINE_integer("directions", 4, "Directions for each scene.")
_SLOWEST = flags.DEFINE_float(
    "slowest", 1.5, "Processor seconds a picture from which on a renderer is left out."
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all chance.")


def main(argv: list[str]) -> None:
    """Measures what the flags ask for."""
    del argv
    unknown = set(_RENDERERS.value) - set(NAMES)
    if unknown:
        raise UserError(f"no renderer {', '.join(sorted(unknown))}; see --help")
    options = renderers.Options(ptfrenderer=_PTFRENDERER.value)
    resolutions = [int(size) for size in _RESOLUTIONS.value]
    titles, measured, missing = {}, {}, {}
    for name in _RENDERERS.value:
        try:
            renderer = renderers.create(name, options)
        except renderers.NotAvailable as error:
            missing[name] = str(error)
            print(f"{name}: {error}", flush=True)
            continue
        titles[name] = renderer.title
        measured[name] = {kind: {} for kind in scenes.KINDS}
        for kind in scenes.KINDS:
            for resolution in resolutions:
                found = gradients.measure(
                    renderer,
                    kind,
                    resolution,
                    count=_SCENES.value,
                    directions=_DIRECTIONS.value,
                    seed=_SEED.value,
                    slowest=_SLOWEST.value,
                )
                if found is None:
                    print(f"{name}, {kind}, {resolution}: too slow", flush=True)
                    break
                measured[name][kind][str(resolution)] = found
                cells = [f"{e:.2g}" for e in found["percentiles"].values()]
                print(
                    f"{name}, {kind}, {resolution}: {' '.join(cells)}"
                    f" with step {found['step']:g}",
                    flush=True,
                )
    result = {
        "machine": report.describe_machine(),
        "settings": {
            "scenes": _SCENES.value,
            "directions": _DIRECTIONS.value,
            "seed": _SEED.value,
        },
        "kinds": list(scenes.KINDS),
        "resolutions": resolutions,
        "titles": titles,
        "measured": measured,
        "not_available": missing,
    }
    result = report.write_json(_OUTPUT.value, result)
    if _PAGE.value:
        report.replace_section(_PAGE.value, "gradients", gradients.tables(result))


if __name__ == "__main__":
    cli.run(main)
