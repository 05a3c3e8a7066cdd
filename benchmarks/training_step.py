"""A training step and its parts, and the same networks as a plain 2D GAN."""

import pathlib
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from benchmarks import arithmetic, report, training
from tf_unsup3d.compat import checkpointable
from tf_unsup3d.data.dataset import PictureSet
from tf_unsup3d.models import precision
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.random_streams import random_latents, random_scenes
from tf_unsup3d.training import losses
from tf_unsup3d.training.batch_division import BatchDivision
from tf_unsup3d.training.guard import Magnitudes
from tf_unsup3d.training.moving_average import decay
from tf_unsup3d.training.state import TrainingState
from tf_unsup3d.training.step import AdversarialStep

_PICTURES = 256
# The networks of the generator; what it takes beside them is shape and mesh.
_NETWORKS = ("mapping", "synthesis of objects", "synthesis of backgrounds")
# Calls of each function that build graphs and warm up, before any is timed.
_WARM_UP = 2


class TrainingWorkload:
    """What is timed, on the CPU.

    Args:
      configuration: The configuration of the training.
      pictures: The real pictures.

    Attributes:
      state: The networks and all else that training changes.
      steps: Functions that take a step each: "3D" and "2D", "3D with R1" and "2D with
        R1". The 2D GAN has the same networks, optimizers and average; its picture is
        the mean of texture and background, without shape, mesh and renderer.
      parts: Functions that compute a part of the step each, forward and backward.
      convolution_dtype: The dtype of the convolutions.
    """

    def __init__(self, configuration: Configuration, pictures: PictureSet):
        settings, size = configuration.training, configuration.resolution
        self._configuration = configuration
        self.state = state = TrainingState(configuration)
        self._renderer = configuration.make_renderer()
        self.convolution_dtype = precision.convolution_dtype(settings.convolution_dtype)
        self._key = tf.constant([settings.seed, 0], tf.int64)
        batches = iter(
            pictures.batches(
                settings.batch_size, seed=settings.seed, mirror=settings.mirror
            )
        )
        self._pictures = next(batches)
        styles = state.generator.styles(self._latents())
        scene, self._views, self._light_seed, _ = random_scenes(
            state.generator, configuration.viewpoints, settings.batch_size, self._key
        )
        drawn = self._draw(scene)
        zeros = [tf.zeros(variable.shape) for variable in self._variables()]
        step = AdversarialStep(
            state,
            configuration,
            {size: self._renderer},
            tf.distribute.OneDeviceStrategy("/CPU:0"),
            BatchDivision(
                settings.batch_size, 1, 1, configuration.discriminator["group_size"]
            ),
        )
        self.steps = {
            "3D": lambda: step.run(self._pictures, False, size, None),
            "2D": self._graph(lambda: self._flat_step(False)),
            "3D with R1": lambda: step.run(self._pictures, True, size, None),
            "2D with R1": self._graph(lambda: self._flat_step(True)),
        }
        generator = state.generator
        self.parts: dict[str, Callable[[], Any]] = {
            "input": lambda: next(batches),
            **{
                name: self._graph(function)
                for name, function in {
                    "mapping": lambda: _gradients(
                        lambda: generator.styles(self._latents()),
                        generator.mapping.trainable_variables,
                    ),
                    "synthesis of objects": lambda: _gradients(
                        lambda: generator.object_synthesis(styles, self._key),
                        generator.object_synthesis.trainable_variables,
                    ),
                    "synthesis of backgrounds": lambda: _gradients(
                        lambda: generator.background_synthesis(styles, self._key)[0],
                        generator.background_synthesis.trainable_variables,
                    ),
                    "generator": lambda: _gradients(
                        lambda: generator(self._latents(), noise_seed=self._key),
                        generator.trainable_variables,
                    ),
                    "renderer": lambda: _gradients(
                        lambda: self._draw(scene)["picture"], list(scene)
                    ),
                    "penalties on the surface": lambda: _gradients(
                        lambda: self._penalties(scene.vertices), [scene.vertices]
                    ),
                    "discriminator": lambda: self._judge(drawn["picture"]),
                    "optimizers": lambda: self._update(zeros),
                    "average": self._move_average,
                    "check for NaN": lambda: self._finite(zeros),
                }.items()
            },
        }

    def _graph(self, function: Callable[[], Any]) -> Callable[[], Any]:
        @tf.function(autograph=False, jit_compile=False)
        def run() -> Any:
            with precision.convolutions_in(self.convolution_dtype):
                return function()

        return run

    def _latents(self) -> tf.Tensor:
        batch = self._configuration.training.batch_size
        return random_latents(self.state.generator, batch, self._key)

    def _draw(self, scene: Scene) -> Mapping[str, tf.Tensor]:
        return self._renderer(scene, self._views, light_seed=self._light_seed)

    def _penalties(self, vertices: tf.Tensor) -> list[tf.Tensor]:
        mesh, settings = self.state.generator.mesh, self._configuration.training
        found = [losses.folding(vertices, mesh)[0]]
        if settings.hidden_weight:
            found.append(losses.hidden_roughness(vertices, self._views, mesh))
        return found

    def _judge(self, fake: tf.Tensor) -> list[tf.Tensor]:
        """Both losses, with what they need of the gradients of the discriminator."""
        discriminator = self.state.discriminator
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(fake)
            fake_scores = discriminator(fake)
            real_scores = discriminator(self._pictures)
            own = losses.discriminator_loss(real_scores, fake_scores)
            other = losses.generator_loss(fake_scores)
        own_gradients = tape.gradient(own, discriminator.trainable_variables)
        return [*own_gradients, tape.gradient(other, fake)]

    def _flat_step(self, penalty: bool) -> tf.Tensor:
        """One step of the 2D GAN; returns whether all is finite."""
        state, settings = self.state, self._configuration.training
        size = self._configuration.resolution
        with tf.GradientTape(persistent=True) as tape:
            styles = state.generator.styles(self._latents())
            layers = [
                tf.tanh(network(styles, self._key)[0])
                for network in (
                    state.generator.object_synthesis,
                    state.generator.background_synthesis,
                )
            ]
            fake = 0.5 * tf.add_n(
                [tf.image.resize(layer, [size, size]) for layer in layers]
            )
            fake_scores = state.discriminator(fake)
            real_scores = state.discriminator(self._pictures)
            own = losses.discriminator_loss(real_scores, fake_scores)
            if penalty:
                r1 = losses.gradient_penalty(state.discriminator, self._pictures)
                own += 0.5 * settings.r1_gamma * settings.r1_interval * r1
            other = losses.generator_loss(fake_scores)
        gradients = []
        for loss, model in ((own, state.discriminator), (other, state.generator)):
            # The layers of shape maps are of no use here.
            gradients += [
                tf.zeros(variable.shape) if gradient is None else gradient
                for gradient, variable in zip(
                    tape.gradient(loss, model.trainable_variables),
                    model.trainable_variables,
                    strict=True,
                )
            ]
        self._update(gradients)
        self._move_average()
        return self._finite(gradients)

    def _variables(self) -> list[tf.Variable]:
        state = self.state
        return [
            *state.discriminator.trainable_variables,
            *state.generator.trainable_variables,
        ]

    def _update(self, gradients: Sequence[tf.Tensor]) -> None:
        state, remaining = self.state, iter(gradients)
        for model, optimizer in (
            (state.discriminator, state.discriminator_optimizer),
            (state.generator, state.generator_optimizer),
        ):
            optimizer.apply_gradients(
                [(next(remaining), variable) for variable in model.trainable_variables]
            )

    def _move_average(self) -> None:
        settings, state = self._configuration.training, self.state
        kept = decay(tf.constant(10**6), settings.batch_size, settings.ema_pictures)
        for average, current in zip(
            checkpointable(state.average.variables),
            checkpointable(state.generator.variables),
            strict=True,
        ):
            average.assign(average + (1.0 - kept) * (current - average))

    def _finite(self, gradients: Sequence[tf.Tensor]) -> tf.Tensor:
        zero = [tf.zeros([])]
        return Magnitudes.of(zero, gradients, self._variables()).all_finite()


def _gradients(compute: Callable[[], Any], sources: list) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch([source for source in sources if isinstance(source, tf.Tensor)])
        total = tf.add_n([tf.reduce_sum(out) for out in tf.nest.flatten(compute())])
    found = tape.gradient(total, sources)
    return [gradient for gradient in found if gradient is not None]


def time_in_turns(
    functions: Mapping[str, Callable[[], Any]], rounds: int
) -> dict[str, float]:
    """Times functions that take turns, so that all have the same share of the machine.

    Args:
      functions: The functions by name.
      rounds: Number of counted calls of each.

    Returns:
      The median of the seconds of a call, by name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for round_ in range(-_WARM_UP, rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            # What is copied to the host is computed.
            tf.nest.map_structure(_wait, function())
            if round_ >= 0:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def _wait(value: Any) -> None:
    if tf.is_tensor(value) and value.shape.num_elements() == 1:
        value.numpy()


def measure(gin_config: str, bindings: list[str], rounds: int) -> dict:
    """Measures one configuration.

    Args:
      gin_config: The gin file.
      bindings: Further parameters.
      rounds: Number of counted calls.

    Returns:
      Milliseconds of steps and parts by name, sizes, arithmetic and peak memory.
    """
    configuration = Configuration.from_files([gin_config], bindings)
    with tempfile.TemporaryDirectory() as folder:
        pictures = training.write_pictures(
            pathlib.Path(folder) / "pictures", _PICTURES, configuration.resolution
        )
        workload = TrainingWorkload(configuration, pictures)
        operations = arithmetic.count_operations(workload.steps["2D"])
        fastest = arithmetic.matrix_product_speed(workload.convolution_dtype)
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
        "gigaflops": {
            "of a 2D step": operations / 1e9,
            "2D": operations / 1e9 / steps["2D"],
            "matrix products": fastest / 1e9,
        },
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
    for title, name in (
        ("GFLOP of a 2D step", "of a 2D step"),
        ("GFLOP per second, 2D", "2D"),
        ("GFLOP per second, large matrix products", "matrix products"),
    ):
        rows.append([title, *(f"{r['gigaflops'][name]:.0f}" for r in results)])
    if all("stylegan2_ada" in r for r in results):
        peer = [r["stylegan2_ada"]["pictures_per_second"] for r in results]
        rows.append(
            ["pictures per second, stylegan2-ada", *(f"{value:.1f}" for value in peer)]
        )
    header = [
        "milliseconds",
        *(
            f"{r['configuration']}, {r['resolution']} x {r['resolution']}, "
            f"batch {r['batch_size']}"
            for r in results
        ),
    ]
    return report.markdown_table(header, rows)
