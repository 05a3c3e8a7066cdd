"""Builds a linear head model from the shape targets of MakeHuman.

Random people are blended from the targets and aligned by similarity transforms. The
model consists of their mean and their principal components.
"""

from collections.abc import Callable

import numpy as np

from tf_unsup3d.errors import UserError
from tf_unsup3d.heads.landmarks import EAR_Y, EYE_X, NOSE_TIP_Z
from tf_unsup3d.heads.makehuman import MakeHuman
from tf_unsup3d.heads.model_file import REGION_NAMES, HeadModelFile
from tf_unsup3d.heads.patterns import smooth_step, soft_edge
from tf_unsup3d.heads.regions import face_regions

# Heights in decimetres: the neck is cut at its joint, and the heads are aligned by what
# lies above the chin.
_NECK_Y, _CHIN_Y = 5.85, 6.35
# Length unit of the model in decimetres.
_UNIT = 1.8
_SECTIONS = (
    "head forehead eyebrows eyes nose mouth ears chin cheek neck".split()  # noqa: SIM905
)
# The alignment would undo movements of the whole head, which then only bend the neck.
_LEFT_OUT = ("head-trans", "neck-trans", "measure-neck")
# Expressions that are kept weaker than the others, and expressions that are left out.
_MILD = ("jawOpen", "mouthFunnel", "mouthPucker", "mouthShrug", "cheekPuff")
_NO_EXPRESSIONS = ("eyeBlink", "eyeLook", "tongueOut", "mouthClose", "jawForward")
_EXPRESSIONS_EACH = 2

Weights = dict[str, float]


class _People:
    """Random people, described by weights of shape targets.

    Args:
      data: The targets.
      rng: Random number generator, the only source of randomness.
    """

    def __init__(self, data: MakeHuman, rng: np.random.Generator):
        self._rng = rng
        self._sliders = [
            slider
            for section in _SECTIONS
            for slider in data.sliders(section)
            if not any(part in slider[0][1] for part in _LEFT_OUT)
        ]
        units = [
            unit
            for unit in data.face_units()
            if not any(part in unit for part in _NO_EXPRESSIONS)
        ]
        # The two sides of a face move together.
        self._units: dict[str, list[str]] = {}
        for unit in units:
            base = unit.removesuffix("Left").removesuffix("Right")
            self._units.setdefault(base, []).append(unit)

    def draw(self) -> tuple[Weights, Weights]:
        """Draws a person.

        Returns:
          The weights of targets (see `MakeHuman.target`), and the weights of facial
          expressions (see `MakeHuman.face_unit`), by name.
        """
        return self._build() | self._details(), self._expression()

    def _build(self) -> Weights:
        """Draws sex, age, descent, muscles and weight, which blend whole bodies."""
        rng = self._rng
        male = float(np.clip((rng.uniform() < 0.5) + rng.normal(0.0, 0.2), 0.0, 1.0))
        old = rng.beta(1.0, 2.0)
        shares = rng.dirichlet([0.7] * 3)
        descents = list(zip(("african", "asian", "caucasian"), shares, strict=True))

        def blend(kind: str) -> list[tuple[str, float]]:
            value = float(np.clip(rng.normal(0.0, 0.4), -1.0, 1.0))
            end = f"{'max' if value > 0.0 else 'min'}{kind}"
            return [(f"average{kind}", 1.0 - abs(value)), (end, abs(value))]

        muscle, weight = blend("muscle"), blend("weight")
        weights = {}
        for sex, sex_share in (("male", male), ("female", 1.0 - male)):
            for age, age_share in (("old", old), ("young", 1.0 - old)):
                share = sex_share * age_share
                for name, part in descents:
                    weights[f"macrodetails/{name}-{sex}-{age}"] = share * part
                for a, x in muscle:
                    for b, y in weight:
                        name = f"macrodetails/universal-{sex}-{age}-{a}-{b}"
                        weights[name] = share * x * y
        return weights

    def _details(self) -> Weights:
        """Draws the changes of each part of the head, nearly the same on both sides."""
        rng = self._rng
        weights = {}
        for slider in self._sliders:
            common = rng.normal(0.0, 0.19)
            # Shifts to one side are small.
            if len(slider) == 1 and slider[0][1].endswith("-trans-out"):
                common *= 0.25
            for lower, higher in slider:
                value = float(np.clip(common + rng.normal(0.0, 0.05), -1.0, 1.0))
                name = higher if value > 0.0 or not lower else lower
                weights[name] = max(value, 0.0) if not lower else abs(value)
        return weights

    def _expression(self) -> Weights:
        """Draws a weak expression made of a few face units."""
        rng = self._rng
        weights = {}
        for base in rng.choice(sorted(self._units), _EXPRESSIONS_EACH, replace=False):
            strength = rng.uniform(0.0, 0.35 if base not in _MILD else 0.15)
            for unit in self._units[base]:
                weights[unit] = strength * rng.uniform(0.8, 1.2)
        return weights


def _align(heads: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Aligns heads by similarity transforms (generalised Procrustes analysis).

    Args:
      heads: [heads, vertices, 3].
      used: [vertices] bool, true for the vertices that determine the transforms.

    Returns:
      [heads, vertices, 3], with the centroid of the used vertices at the origin.
    """
    heads = heads - heads[:, used].mean(1, keepdims=True)
    sizes = np.sqrt(np.mean(heads[:, used] ** 2, (1, 2)))
    heads = heads * (sizes.mean() / sizes)[:, None, None]
    for _ in range(5):
        mean = heads[:, used].mean(0)
        u, _, vt = np.linalg.svd(np.swapaxes(heads[:, used], 1, 2) @ mean)
        # Rotations only, without reflections.
        u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
        heads = heads @ (u @ vt)
        mean = heads[:, used].mean(0)
        scale = np.einsum("hvi,vi->h", heads[:, used], mean)
        scale /= np.sum(heads[:, used] ** 2, (1, 2))
        heads = heads * (scale / scale.mean())[:, None, None]
    return heads


def _regions(
    data: MakeHuman, kept: np.ndarray, mean: np.ndarray, eyes: list[np.ndarray]
) -> np.ndarray:
    """Computes the weights of the regions of the face.

    Args:
      data: Source of the painted regions.
      kept: [vertices] indices of the vertices of the head in the whole mesh.
      mean: [vertices, 3] mean head.
      eyes: Vertex indices of each eyeball in the mean head.

    Returns:
      [vertices, regions] weights in [0, 1], in the order of `REGION_NAMES`.
    """
    regions = {name: data.painted(name)[kept] for name in ("lips", "ears", "eyelids")}
    for name in ("eye", "iris", "pupil"):
        regions[name] = np.zeros(len(mean))
    for eye in eyes:
        offset = mean[eye] - mean[eye].mean(0)
        angle = np.degrees(
            np.arctan2(np.hypot(offset[:, 0], offset[:, 1]), -offset[:, 2])
        )
        regions["eye"][eye] = 1.0
        regions["iris"][eye] = smooth_step(angle, 40.0, 26.0)
        regions["pupil"][eye] = smooth_step(angle, 23.0, 9.0)
    skin = 1.0 - regions["eye"]
    for name in ("lips", "ears", "eyelids"):
        regions[name] *= skin
    centre = np.mean([mean[eye].mean(0) for eye in eyes], 0)
    spacing = abs(mean[eyes[0]].mean(0)[0] - mean[eyes[1]].mean(0)[0])
    places = (mean - centre) * (2.0 * EYE_X / spacing)
    places[:, 2] += NOSE_TIP_Z - places[:, 2].min()
    # The usual hairline: forehead, temple, before, above and behind the ear, nape.
    turn = np.degrees(np.arctan2(np.abs(places[:, 0]), -places[:, 2]))
    line = np.interp(
        turn,
        [0.0, 40.0, 60.0, 80.0, 100.0, 125.0, 150.0, 180.0],
        [-0.37, -0.33, -0.22, -0.08, EAR_Y - 0.08, 0.12, 0.22, 0.25],
    )
    regions["hair"] = soft_edge(line - places[:, 1], 0.12) * skin
    regions["hair"] *= 1.0 - regions["ears"]
    painted = face_regions(
        places,
        openness=1.0,
        gaze=(0.0, 0.0),
        brow_thickness=0.035,
        brow_arch=0.015,
        known={},
    )
    regions["brow"] = painted["brow"] * skin
    return np.stack([regions[name] for name in REGION_NAMES], -1)


def build_head_model(
    data: MakeHuman,
    *,
    heads: int = 800,
    components: int = 64,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[HeadModelFile, float]:
    """Builds a linear head model from random people.

    Args:
      data: The base mesh and its targets.
      heads: Number of random people.
      components: Number of principal components to keep, less than `heads`.
      seed: Seed of the random people, not negative.
      progress: Function that is called with the number of people just added.

    Returns:
      The model, and the fraction of the variance that its components explain.

    Raises:
      UserError: If a number is out of range, or a target cannot be read.
    """
    if not 1 <= components < heads:
        raise UserError(
            f"components must be from 1 to below heads ({heads}), got {components}"
        )
    if seed < 0:
        raise UserError(f"seed must not be negative, got {seed}")
    above = (data.points[data.quads, 1] > _NECK_Y).all(1)
    quads = data.quads[above]
    kept, quads = np.unique(quads, return_inverse=True)
    quads = quads.reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    people = _People(data, np.random.default_rng(seed))
    targets: dict[tuple, np.ndarray] = {}

    def add(
        head: np.ndarray, weights: Weights, read: Callable[[str], np.ndarray]
    ) -> None:
        for name, weight in weights.items():
            if weight:
                if (read, name) not in targets:
                    targets[read, name] = read(name)[kept].astype(np.float32)
                head += weight * targets[read, name]

    shapes = np.empty((heads, len(kept), 3))
    for shape in shapes:
        shape[:] = data.points[kept]
        details, expression = people.draw()
        add(shape, details, data.target)
        add(shape, expression, data.face_unit)
        progress(1)
    # From y up, z forward to y down, z away; the person's left is right in the picture.
    shapes *= np.array([1.0, -1.0, -1.0]) / _UNIT
    shapes = _align(shapes, data.points[kept, 1] > _CHIN_Y)
    mean = shapes.mean(0)
    changes = (shapes - mean).reshape(heads, -1)
    _, deviations, axes = np.linalg.svd(changes, full_matrices=False)
    basis = deviations[:components, None] * axes[:components] / np.sqrt(heads - 1.0)
    explained = np.sum(deviations[:components] ** 2) / np.sum(deviations**2)

    # The crown is at y = -0.62; z = 0 lies halfway between the front and the back.
    low, high = mean.min(0), mean.max(0)
    mean = mean - [0.5 * (low[0] + high[0]), low[1] + 0.62, 0.5 * (low[2] + high[2])]
    eyes = [np.searchsorted(kept, eye) for eye in data.eyes]
    model = HeadModelFile(
        mean=mean.astype(np.float32),
        basis=basis.reshape(-1, *mean.shape).astype(np.float32),
        triangles=triangles.astype(np.int32),
        eye_centres=np.stack([mean[eye].mean(0) for eye in eyes]).astype(np.float32),
        nose_tip=mean[np.argmin(mean[:, 2])].astype(np.float32),
        regions=_regions(data, kept, mean, eyes).astype(np.float32),
        region_names=REGION_NAMES,
    )
    return model, float(explained)
