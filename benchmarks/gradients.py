"""How well renderers' gradients predict the change of their own pictures."""

import time

import numpy as np

from benchmarks import report, workloads
from benchmarks.renderers import Renderer
from benchmarks.workload import Workload

# In pixels. A renderer is credited with the best of them, for each percentile; what
# float64 can use, float32 cannot.
STEPS = {np.float64: (1e-8, 1e-7, 1e-6), np.float32: (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)}
# Also measured at one resolution, to show what small steps hide.
LARGE_STEPS = (1e-4, 1e-3, 1e-2, 1e-1)
STEPS_RESOLUTION = 64
PERCENTILES = (50, 90, 99)


def relative_errors(
    renderer: Renderer,
    workload: Workload,
    directions: np.ndarray,
    weights: np.ndarray,
    steps: tuple[float, ...],
) -> np.ndarray:
    """Compares the gradient with central differences.

    The functional is `sum(weights * picture)`.

    Args:
      renderer: the renderer.
      workload: where to differentiate.
      directions: [directions, batch, vertices, 3], moves of the vertices.
      weights: [batch, height, width, 3].
      steps: parts of a direction to go forth and back.

    Returns:
      [directions, steps]: `|predicted - observed| / |observed|`, where predicted is the
      change that the gradient at the centre promises.
    """
    centre = workload.vertices.astype(renderer.dtype)
    loaded = renderer.load(workload)
    gradient, _ = renderer.differentiate(
        renderer.move(loaded, centre), renderer.weigh(weights)
    )
    gradient = renderer.to_numpy(gradient).astype(np.float64)

    def value(vertices):
        picture = renderer.to_numpy(renderer.draw(renderer.move(loaded, vertices)))
        return np.sum(weights * picture.astype(np.float64))

    errors = np.zeros([len(directions), len(steps)])
    for row, direction in enumerate(directions):
        for column, step in enumerate(steps):
            ahead = (centre + step * direction).astype(renderer.dtype)
            behind = (centre - step * direction).astype(renderer.dtype)
            # What was rounded away has not been moved.
            move = ahead.astype(np.float64) - behind.astype(np.float64)
            predicted = np.sum(gradient * move)
            observed = value(ahead) - value(behind)
            difference = abs(predicted - observed)
            errors[row, column] = difference and difference / max(abs(observed), 1e-300)
    return errors


def _object_moves(rng, vertices, count):
    """[count, batch, vertices, 3]: turns, shifts and stretches of the whole object."""
    linear = rng.normal(size=[count, len(vertices), 3, 3])
    moves = vertices @ linear + rng.normal(size=[count, len(vertices), 1, 3])
    return moves / np.sqrt(np.mean(moves**2, (1, 2, 3), keepdims=True))


def _samples(kind, resolution, count, directions, seed):
    """The same workloads, directions and weights for each renderer.

    Directions are those of each vertex by itself, and those of the whole object.
    """
    for index in range(count):
        rng = np.random.default_rng([seed, resolution, index, *kind.encode()])
        workload = workloads.KINDS[kind](
            rng, subdivisions=max(2, resolution // 4), resolution=resolution
        )
        # A standard deviation of one pixel for each coordinate.
        moves = rng.normal(size=[directions, *workload.vertices.shape]) * 2 / resolution
        weights = np.float64(np.float32(rng.normal(size=workload.background.shape)))
        whole = _object_moves(rng, workload.vertices, directions) * 2 / resolution
        yield workload, moves, whole, weights


def _seconds(renderer, workload):
    """Processor time of a picture, which does not depend on what else runs."""
    loaded = renderer.load(workload)
    renderer.draw(loaded)
    start = time.process_time()
    renderer.draw(loaded)
    return time.process_time() - start


def measure(
    renderer: Renderer,
    kind: str,
    resolution: int,
    *,
    count: int,
    directions: int,
    seed: int,
    slowest: float = np.inf,
) -> dict | None:
    """Errors of one renderer on one kind of workload.

    Args:
      renderer: the renderer.
      kind: of `workloads.KINDS`.
      resolution: height and width of the pictures.
      count: how many workloads.
      directions: for each workload.
      seed: of all random numbers.
      slowest: seconds of the processor for a picture, from which on it is left out.

    Returns:
      The percentiles of the error with the best steps and with each step, the latter
      also for moves of the whole object; None if it was left out.
    """
    best = STEPS[renderer.dtype]
    large = resolution == STEPS_RESOLUTION
    steps = tuple(sorted({*best, *LARGE_STEPS})) if large else best
    single, whole = [], []
    for workload, moves, object_moves, weights in _samples(
        kind, resolution, count, directions, seed
    ):
        if not single and _seconds(renderer, workload) > slowest:
            return None
        single.append(relative_errors(renderer, workload, moves, weights, steps))
        if large:
            whole.append(
                relative_errors(renderer, workload, object_moves, weights, steps)
            )
    by_step = _percentiles(single, steps)
    result = {
        "samples": count * directions,
        "percentiles": {
            percentile: min(by_step[step][percentile] for step in best)
            for percentile in PERCENTILES
        },
        "by_step": by_step,
    }
    return result | {"object_by_step": _percentiles(whole, steps)} if large else result


def _percentiles(errors, steps):
    """By step the percentiles of errors [directions, steps] of several workloads."""
    values = np.percentile(np.concatenate(errors), PERCENTILES, 0).T
    return {
        step: dict(zip(PERCENTILES, column.tolist(), strict=True))
        for step, column in zip(steps, values, strict=True)
    }


def _format(error: float) -> str:
    """Two digits, as a percentage where that can be read."""
    if error >= 1e-4:
        return f"{100 * error:.2g} %" if error < 0.995 else f"{100 * error:.0f} %"
    return f"{error:.0e}".replace("e-0", "e-")


def tables(result: dict) -> str:
    """The result as Markdown.

    Args:
      result: what the program writes as JSON.
    """
    parts = []
    measured = result["measured"]
    for kind in result["kinds"]:
        rows = []
        for name, title in result["titles"].items():
            row, absent = [title], ""
            for resolution in result["resolutions"]:
                found = measured[name][kind].get(str(resolution), {})
                if found is None:  # It was not tried any larger either.
                    absent = "too slow"
                cell = found and [_format(e) for e in found["percentiles"].values()]
                row.append(" / ".join(cell) if cell else absent)
            rows.append(row)
        header = [kind, *(f"{size}²" for size in result["resolutions"])]
        parts.append(report.markdown_table(header, rows))
    if STEPS_RESOLUTION in result["resolutions"]:
        fields = {"each vertex": "by_step", "the whole object": "object_by_step"}
        for what, field in fields.items():
            for kind in result["kinds"]:
                title = f"{kind}, {STEPS_RESOLUTION}², {what} moves by"
                parts.append(_step_table(result, kind, field, title))
    missing = result["not_available"]
    if missing:
        lines = [f"{name}: {reason}" for name, reason in missing.items()]
        parts.append("Not measured: " + "; ".join(lines) + ".")
    machine, settings = result["machine"], result["settings"]
    parts.append(
        f"{settings['workloads']} workloads with {settings['directions']} directions"
        f" each, seed {settings['seed']}; {machine['date']}."
    )
    return "\n\n".join(parts)


def _step_table(result, kind, field, title):
    """The median and the 90th percentile of errors by step."""
    steps = sorted({*STEPS[np.float64], *STEPS[np.float32], *LARGE_STEPS})
    rows = []
    for name, renderer in result["titles"].items():
        found = result["measured"][name][kind].get(str(STEPS_RESOLUTION))
        if not found:
            continue
        row = [renderer]
        for step in steps:
            errors = found.get(field, {}).get(str(step))
            row.append(
                f"{_format(errors['50'])} / {_format(errors['90'])}" if errors else ""
            )
        rows.append(row)
    header = [title, *(f"{step:g}" for step in steps)]
    return report.markdown_table(header, rows)
