"""Time and memory of renderers, measured in turns."""

import dataclasses
import statistics

import numpy as np

from benchmarks import renderers, report, workloads
from benchmarks.worker import Worker, WorkerError
from benchmarks.workload import Workload
from tf_unsup3d.errors import UserError

# What everything is compared with.
REFERENCE = "ours"
PARTS = ("forward", "both")
# A peer that is slower than this is called less often.
SLOW_SECONDS = 5.0
SLOW_RUNS = {"forward": 3, "both": 3}


@dataclasses.dataclass(frozen=True)
class WorkloadSize:
    """What is drawn in one call.

    Attributes:
      resolution: height and width of the pictures.
      subdivisions: of the sphere, of `8 * subdivisions**2` triangles.
      batch: pictures.
    """

    resolution: int
    subdivisions: int
    batch: int

    @property
    def triangles(self) -> int:
        """Of one mesh."""
        return 8 * self.subdivisions**2

    def __str__(self):
        count = self.triangles
        short = f"{count / 1e6:.0f}M" if count > 999_999 else f"{count / 1e3:.0f}k"
        return f"{self.resolution}² / {short} / {self.batch}"

    def workload(self, seed: int) -> Workload:
        """A sphere with gentle waves."""
        return workloads.bumpy_spheres(
            np.random.default_rng(seed),
            subdivisions=self.subdivisions,
            resolution=self.resolution,
            batch=self.batch,
            texels=256,
            amplitude=0.03,
        )


SIZES = (
    WorkloadSize(64, 32, 16),
    WorkloadSize(128, 64, 4),
    WorkloadSize(256, 64, 1),
    WorkloadSize(512, 128, 1),
    WorkloadSize(1024, 354, 1),
)
GROWTH = {
    "triangles": [WorkloadSize(128, n, 1) for n in (16, 32, 64, 128, 256)],
    "pixels": [WorkloadSize(size, 64, 1) for size in (32, 64, 128, 256, 512, 1024)],
}


class Lineup:
    """Renderers in processes of their own that take turns."""

    def __init__(
        self,
        members: dict[str, tuple[str, int | None]],
        options: renderers.Options,
        *,
        slowest: float = 60.0,
        slow_runs: dict[str, int] = SLOW_RUNS,
    ):
        """Starts the processes.

        Args:
          members: by a name for the result, a name of `renderers.CLASSES` and a number
            of threads; None for as many as there are processor cores.
          options: see `renderers.create`.
          slowest: seconds for one call, from which on a renderer leaves.
          slow_runs: for each part, counted calls of those slower than `SLOW_SECONDS`.
        """
        self.slowest, self.slow_runs = slowest, slow_runs
        self.workers, self.titles, self.parts, self.missing = {}, {}, {}, {}
        for key, (name, threads) in members.items():
            try:
                worker = Worker(name, options, threads)
            except renderers.NotAvailable as error:
                self.missing[key] = str(error)
                continue
            about = worker.describe()
            self.workers[key] = worker
            self.titles[key] = about["title"]
            self.parts[key] = PARTS if about["differentiable"] else PARTS[:1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.workers.values():
            worker.close()

    def _prepare(self, key, workload, weights):
        """Draws until everything is compiled and in memory.

        Returns:
          The picture, and how often a call of each part is worth repeating.
        """
        worker, repeats = self.workers[key], {}
        worker.load(workload, weights, timeout=self.slowest)
        worker.begin_memory()
        picture = worker.picture(timeout=self.slowest)
        for part in self.parts[key]:
            worker.time(part == "both", timeout=self.slowest)
            seconds = worker.time(part == "both", timeout=self.slowest)
            slow = seconds > SLOW_SECONDS
            repeats[part] = self.slow_runs[part] if slow else None
        return picture, repeats

    def measure(self, size: WorkloadSize, *, runs: int, seed: int) -> dict:
        """Calls every renderer in turn, `runs` times.

        Args:
          size: what to draw.
          runs: calls of each, after some that do not count; of slow ones fewer.
          seed: of the workload.

        Returns:
          For each renderer the seconds of its calls, `forward` and `both`, its
          memory in bytes, and how far its picture is from that of the first one.
        """
        workload = size.workload(seed)
        weights = np.random.default_rng(seed).normal(size=workload.background.shape)
        first, found, repeats = None, {}, {}
        for key, worker in list(self.workers.items()):
            try:
                picture, repeats[key] = self._prepare(key, workload, weights)
            except WorkerError as error:
                found[key] = {"failure": str(error)}
                self.workers.pop(key).close()
                continue
            first = picture if first is None else first
            found[key] = {
                "memory": worker.memory(),
                "difference": float(np.mean(np.abs(picture - first))),
                "forward": [],
                "both": [],
            }
        for run in range(runs):
            for key, worker in self.workers.items():
                for part, limit in repeats[key].items():
                    if limit is None or run < limit:
                        found[key][part].append(worker.time(part == "both"))
        return found


def measure_threads(
    name: str,
    options: renderers.Options,
    sizes: list[WorkloadSize],
    *,
    runs: int,
    seed: int,
) -> dict:
    """Measures a renderer with one thread and with all, in turns.

    Returns:
      By size what `Lineup.measure` returns for `one` and `all`.
    """
    members = {"one": (name, 1), "all": (name, None)}
    with Lineup(members, options) as lineup:
        return {str(size): lineup.measure(size, runs=runs, seed=seed) for size in sizes}


def measure_growth(
    names: list[str],
    options: renderers.Options,
    sizes: list[WorkloadSize],
    *,
    runs: int,
    seed: int,
    slowest: float,
) -> list[dict]:
    """Measures growing workloads; a renderer stops where a call takes too long.

    Returns:
      For each size its `triangles`, its `pixels`, and what `Lineup.measure` found.
    """
    members = {name: (name, None) for name in names}
    with Lineup(members, options, slowest=slowest) as lineup:
        return [
            {
                "triangles": size.triangles,
                "pixels": size.resolution**2,
                "found": lineup.measure(size, runs=runs, seed=seed),
            }
            for size in sizes
        ]


def add_reference(found: dict) -> None:
    """Puts beside each peer's times those of `REFERENCE` in the same rounds.

    Tables are put together from several runs, ratios must not be.

    Args:
      found: what `Lineup.measure` returns.

    Raises:
      UserError: there is nothing to compare with.
    """
    reference = found[REFERENCE]
    if "failure" in reference:
        raise UserError(f"{REFERENCE}: {reference['failure']}")
    times = {part: reference[part] for part in PARTS}
    for name, one in found.items():
        if name != REFERENCE and "failure" not in one:
            one["reference"] = times


def merge_growth(stored: list[dict], measured: list[dict], names: list[str]) -> None:
    """Adds renderers to what `measure_growth` found before.

    Args:
      stored: what is added to.
      measured: by another call.
      names: of the renderers to take from it.
    """
    sizes = {(point["triangles"], point["pixels"]): point for point in stored}
    for point in measured:
        found = {name: one for name, one in point["found"].items() if name in names}
        size = (point["triangles"], point["pixels"])
        if size in sizes:
            sizes[size]["found"] |= found
        else:
            stored.append({**point, "found": found})


def median_ratio(seconds: list[float], reference: list[float]) -> float:
    """Median over the rounds of one renderer's time over another's."""
    pairs = zip(seconds, reference, strict=False)
    return statistics.median(one / other for one, other in pairs)


def milliseconds(seconds: list[float]) -> str:
    """The median, for a table."""
    value = 1e3 * statistics.median(seconds)
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _speed_table(result, part, title):
    rows = []
    for name, row_title in result["titles"].items():
        row, absent = [row_title], ""
        for found in result["workloads"].values():
            one = found.get(name, {})
            if "failure" in one:
                slow = one["failure"].startswith("took more than")
                absent = "too slow" if slow else "failed"
            if not one.get(part):
                # Larger ones are not tried after a failure.
                row.append(absent)
                continue
            cell = f"{milliseconds(one[part])} ms"
            if name != REFERENCE:
                ratio = median_ratio(one[part], one["reference"][part])
                cell += f", {ratio:.2g}x" if ratio < 99 else f", {ratio:.0f}x"
            if len(one[part]) < result["settings"]["runs"]:
                cell += f" ({len(one[part])} runs)"
            row.append(cell)
        rows.append(row)
    return report.markdown_table([title, *result["workloads"]], rows)


def _number_table(result, title, number):
    rows = []
    for name in result["titles"]:
        cells = [
            number(found[name]) if "memory" in found.get(name, {}) else ""
            for found in result["workloads"].values()
        ]
        rows.append([result["titles"][name], *cells])
    return report.markdown_table([title, *result["workloads"]], rows)


def _thread_table(result):
    sizes = list(
        dict.fromkeys(size for found in result["threads"].values() for size in found)
    )
    rows = []
    for name, by_size in result["threads"].items():
        for part, text in (("forward", "forward"), ("both", "forward and backward")):
            cells = []
            for size in sizes:
                found = by_size.get(size, {})
                one, every = (found.get(key, {}).get(part) for key in ("one", "all"))
                if not (one and every):
                    cells.append("")
                    continue
                ratio = median_ratio(one, every)
                cells.append(
                    f"{milliseconds(one)} / {milliseconds(every)} ms, {ratio:.2f}x"
                )
            if any(cells):
                rows.append([f"{result['titles'][name]}, {text}", *cells])
    return report.markdown_table(["one thread / all threads", *sizes], rows)


def _circumstances(run):
    machine, after = run["machine"], run["load_average_after"]
    return (
        f"{machine['date']}, load average before {machine['load_average'][0]}, after"
        f" {after[0]}"
    )


def tables(result: dict) -> str:
    """The result as Markdown.

    Args:
      result: what the program writes as JSON.
    """
    parts = [
        _speed_table(result, "both", "forward and backward"),
        _speed_table(result, "forward", "forward"),
        _number_table(
            result,
            "memory of drawing, MB (of the process)",
            lambda one: (
                f"{max(0, one['memory']['growth']) / 1e6:.0f}"
                f" ({one['memory']['peak'] / 1e6:.0f})"
            ),
        ),
        _number_table(
            result,
            "difference of the picture from ours",
            lambda one: f"{one['difference']:.1e}",
        ),
    ]
    if any(result["threads"].values()):
        parts.append(_thread_table(result))
    failures = {
        f"{result['titles'][name]} at {size}: {one['failure']}"
        for size, found in result["workloads"].items()
        for name, one in found.items()
        if "failure" in one
    }
    missing = {f"{name}: {text}" for name, text in result["not_available"].items()}
    if failures or missing:
        parts.append("Not measured: " + "; ".join(sorted(failures | missing)) + ".")
    machine, settings = result["machine"], result["settings"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores; medians of"
        f" {settings['runs']} runs, seed {settings['seed']}; {_circumstances(result)}."
    ]
    for run in result["added"]:
        names = ", ".join(result["titles"].get(name, name) for name in run["renderers"])
        measures = ", ".join(run["measures"])
        lines.append(f"Added: {names} ({measures}); {_circumstances(run)}.")
    parts.append("\n".join(lines))
    return "\n\n".join(parts)


def plot_growth(result: dict, path: str) -> None:
    """Draws the time of one picture against triangles and against pixels.

    Args:
      result: what the program writes as JSON.
      path: of the PNG file.

    Raises:
      UserError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise UserError("--plot needs matplotlib") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    labels = {
        "triangles": "triangles, at 128² pixels",
        "pixels": "pixels, at 33k triangles",
    }
    for axis, (quantity, label) in zip(axes, labels.items(), strict=True):
        for name, title in result["titles"].items():
            part = "both" if name != "opengl" else "forward"
            points = [
                (point[quantity], 1e3 * statistics.median(point["found"][name][part]))
                for point in result["growth"][quantity]
                if point["found"].get(name, {}).get(part)
            ]
            if points:
                text = title if part == "both" else f"{title}, forward only"
                axis.loglog(*zip(*points, strict=True), marker="o", label=text)
        axis.set_xlabel(label)
        axis.set_ylabel("milliseconds, forward and backward")
        axis.grid(True, which="both", alpha=0.2)
    axes[0].legend(fontsize="small")
    figure.savefig(path, dpi=110)
    plt.close(figure)
