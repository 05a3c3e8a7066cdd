"""The shape of procedural heads: a linear head model written by hand.

As in a model learned from scans, a head is `mean + sum_k c_k basis_k` with
c_k ~ N(0, 1). The mean is the bare surface with the features of a face raised on it.
Each basis vector is one change that has a name, such as "nose width", scaled to its
natural standard deviation.
"""

import functools

import numpy as np

from tf_unsup3d.heads.landmarks import (
    EAR_Y,
    EAR_Z,
    EYE_X,
    EYE_Y,
    MOUTH_HALF_WIDTH,
    MOUTH_Y,
    NOSE_TIP_Y,
    SCALE,
    to_unit_ball,
)
from tf_unsup3d.heads.model import ASYMMETRY_PREFIX, HeadModel, LinearShape
from tf_unsup3d.heads.patterns import smooth_step
from tf_unsup3d.heads.surface import head_surface


def _bump(
    a: np.ndarray,
    b: np.ndarray,
    center_a: float,
    center_b: float | np.ndarray,
    width_a: float,
    width_b: float | np.ndarray,
    power: float = 2.0,
) -> np.ndarray:
    """A bump of height 1 over an ellipse; higher powers flatten its top."""
    squared = ((a - center_a) / width_a) ** 2 + ((b - center_b) / width_b) ** 2
    return np.exp(-(squared ** (0.5 * power)))


class _Places:
    """Heights of the parts of a face, as functions of face coordinates.

    Args:
      points: [vertices, 3] face coordinates.
    """

    def __init__(self, points: np.ndarray):
        self.x, self.y, self.z = np.moveaxis(points.astype(np.float64), -1, 0)
        self.side = np.abs(self.x)
        # -1 on the left and 1 on the right, with a smooth transition in the middle.
        self.sign = self.x / np.hypot(self.x, 0.02)
        self.front = smooth_step(self.z, -0.02, -0.22)
        self.neck = smooth_step(self.y - 0.9 * self.z, 0.52, 0.68)

    def frontal(
        self, x: float, y: float, width_x: float, width_y: float, power: float = 2.0
    ) -> np.ndarray:
        """A bump on the front, and its mirror image where x is not 0."""
        return self.front * _bump(self.side, self.y, x, y, width_x, width_y, power)

    def lateral(
        self, y: float, z: float, width_y: float, width_z: float, power: float = 2.0
    ) -> np.ndarray:
        """A bump on each side of the head."""
        outside = smooth_step(self.side, 0.12, 0.25)
        return outside * _bump(self.y, self.z, y, z, width_y, width_z, power)

    def nose(self, width: float = 1.0) -> np.ndarray:
        """Height of the nose, a ridge that becomes wider and higher towards its tip."""
        descent = np.clip((self.y + 0.03) / (NOSE_TIP_Y + 0.03), 0.0, 1.0)
        profile = 0.118 * descent**1.1 * smooth_step(self.y, 0.292, 0.205)
        ridge_width = width * (0.038 + 0.030 * descent**2)
        ridge = profile * np.exp(-((self.side / ridge_width) ** 2.0))
        tip = 0.036 * self.frontal(0.0, NOSE_TIP_Y - 0.008, 0.052 * width, 0.052, 2.4)
        wings = 0.050 * self.frontal(0.060 * width, 0.232, 0.031, 0.038, 2.5)
        bridge = 0.018 * self.frontal(0.0, 0.02, 0.045 * width, 0.10)
        return self.front * (ridge + bridge) + tip + wings

    def lips(self, fullness: float = 1.0) -> np.ndarray:
        """Height of the lips above the muzzle."""
        across = np.clip(1.0 - (self.x / (1.12 * MOUTH_HALF_WIDTH)) ** 2, 0.0, 1.0)
        thickness = across**0.6
        upper = np.exp(-(((self.y - MOUTH_Y + 0.024) / 0.026) ** 2))
        lower = np.exp(-(((self.y - MOUTH_Y - 0.030) / 0.027) ** 2))
        bow = 1.0 - 0.35 * np.exp(-((self.x / 0.018) ** 2))
        parting = np.exp(-(((self.y - MOUTH_Y) / 0.012) ** 2))
        height = 0.024 * bow * upper + 0.027 * lower
        return self.front * thickness * (fullness * height - 0.022 * parting)

    def eyeballs(self, size: float = 1.0) -> np.ndarray:
        """Height of the eyes, with their lids, in their sockets."""
        ball = self.frontal(EYE_X, EYE_Y, 0.070 * size, 0.050 * size, 3.0)
        lid_y = EYE_Y - size * (0.040 - 3.0 * (self.side - EYE_X) ** 2)
        lid = _bump(self.side, self.y, EYE_X, lid_y, 0.075, 0.014)
        crease = _bump(self.side, self.y, EYE_X, lid_y - 0.03, 0.075, 0.014)
        return 0.040 * ball + self.front * (0.012 * lid - 0.010 * crease)

    def ears(self) -> np.ndarray:
        """Displacement [vertices, 3] of the ears, which stand off at their back."""
        tilted = self.z - 0.25 * (EAR_Y - self.y)
        narrowing = 1.0 - 0.9 * np.clip(self.y - EAR_Y, 0.0, 0.3)
        outline = smooth_step(self.side, 0.12, 0.25) * _bump(
            self.y, tilted, EAR_Y, EAR_Z, 0.155, 0.092 * narrowing, 6.0
        )
        flare = 0.25 + 0.75 * smooth_step(tilted, EAR_Z - 0.10, EAR_Z + 0.07)
        bowl = _bump(self.y, tilted, EAR_Y + 0.005, EAR_Z - 0.012, 0.085, 0.042, 3.0)
        fold = _bump(self.y, tilted, EAR_Y - 0.085, EAR_Z + 0.01, 0.030, 0.045)
        height = outline * (0.105 * flare - 0.060 * bowl - 0.018 * fold)
        return np.stack(
            [self.sign * height, 0.0 * height, 0.45 * outline * flare * 0.105], -1
        )


def _forward(height: np.ndarray) -> np.ndarray:
    """Displacement [vertices, 3] in the direction of the face."""
    return np.stack([np.zeros_like(height), np.zeros_like(height), -height], -1)


def _down(height: np.ndarray) -> np.ndarray:
    """Displacement [vertices, 3] towards the chin."""
    return np.stack([np.zeros_like(height), height, np.zeros_like(height)], -1)


def _outward(places: _Places, height: np.ndarray) -> np.ndarray:
    """Displacement [vertices, 3] sideways, away from the middle of the head."""
    return np.stack(
        [places.sign * height, np.zeros_like(height), np.zeros_like(height)], -1
    )


def _features(places: _Places) -> np.ndarray:
    """Displacement [vertices, 3] from the bare surface to the mean head."""
    p = places
    sockets = 0.058 * p.frontal(EYE_X - 0.01, -0.005, 0.10, 0.066, 2.2)
    inner_corners = 0.022 * p.frontal(0.085, 0.015, 0.035, 0.05)
    brows = 0.026 * p.frontal(0.16, -0.085, 0.12, 0.036)
    glabella = 0.012 * p.frontal(0.0, -0.09, 0.06, 0.05)
    cheekbones = 0.022 * p.frontal(0.225, 0.14, 0.11, 0.085)
    cheek_hollow = 0.006 * p.frontal(0.24, 0.33, 0.07, 0.10)
    muzzle = 0.040 * p.frontal(0.0, MOUTH_Y, 0.15, 0.13, 2.3)
    philtrum = 0.008 * p.frontal(0.0, 0.32, 0.016, 0.035)
    chin_fold = 0.024 * p.frontal(0.0, 0.482, 0.085, 0.030)
    chin = 0.078 * p.frontal(0.0, 0.575, 0.115, 0.075, 2.3)
    temples = 0.018 * p.lateral(-0.10, -0.25, 0.11, 0.10)
    jaw_corner = 0.022 * p.lateral(0.40, -0.05, 0.12, 0.12)
    forward = _forward(
        p.nose()
        + p.lips()
        + p.eyeballs()
        + brows
        + glabella
        + cheekbones
        + muzzle
        + chin
        - sockets
        - inner_corners
        - cheek_hollow
        - philtrum
        - chin_fold
    )
    # The tip of the nose overhangs its base.
    overhang = _down(0.010 * p.frontal(0.0, NOSE_TIP_Y + 0.01, 0.06, 0.035))
    sides = _outward(p, jaw_corner - temples + 0.5 * cheekbones)
    return forward + overhang + sides + p.ears()


def _variations(places: _Places) -> dict[str, np.ndarray]:
    """Displacements [vertices, 3] of one standard deviation each, by name."""
    p = places
    lower_face = smooth_step(p.y, 0.0, 0.62) * (1.0 - p.neck)
    upper_head = smooth_step(p.y, -0.05, -0.55)
    eye_dx, eye_dy = p.side - EYE_X, p.y - EYE_Y
    eye = p.frontal(EYE_X, EYE_Y, 0.11, 0.085, 3.0)
    nose_area = p.frontal(0.0, 0.17, 0.09, 0.16, 3.0)
    mouth = p.frontal(0.0, MOUTH_Y, 0.16, 0.09, 3.0)
    chin = p.frontal(0.0, 0.57, 0.14, 0.09, 2.5)
    corners = p.frontal(MOUTH_HALF_WIDTH, MOUTH_Y, 0.05, 0.05)
    ears = p.ears()
    ear_area = p.lateral(EAR_Y, EAR_Z + 0.03, 0.19, 0.13, 4.0)
    return {
        "head_width": _outward(p, 0.045 * p.side),
        "head_length": _forward(-0.040 * p.z),
        "cranium_height": _down(-0.030 * upper_head),
        "cranium_back": _forward(-0.028 * smooth_step(p.z, 0.15, 0.55)),
        "face_length": _down(0.028 * lower_face),
        "face_width": _outward(p, 0.07 * p.side * p.front * smooth_step(p.y, -0.4, 0)),
        "jaw_width": _outward(p, 0.10 * p.side * lower_face),
        "jaw_corner": _outward(p, 0.022 * p.lateral(0.40, -0.05, 0.13, 0.14)),
        "chin_forward": _forward(0.024 * chin),
        "chin_length": _down(0.022 * chin),
        "chin_width": _outward(p, 0.16 * p.side * chin),
        "forehead_slope": _forward(-0.022 * p.frontal(0.0, -0.38, 0.35, 0.18)),
        "forehead_bulge": _forward(0.014 * p.frontal(0.0, -0.27, 0.25, 0.13)),
        "brow_ridge": _forward(
            0.014 * p.frontal(0.15, -0.085, 0.12, 0.035)
            + 0.008 * p.frontal(0.0, -0.08, 0.07, 0.04)
        ),
        "eye_spacing": _outward(p, 0.009 * eye),
        "eye_height": _down(0.008 * eye),
        "eye_size": _outward(p, 0.11 * eye_dx * eye) + _down(0.14 * eye_dy * eye),
        "eye_slant": _down(-0.12 * eye_dx * eye),
        "eye_depth": _forward(-0.010 * p.frontal(EYE_X, 0.0, 0.10, 0.06)),
        "nose_length": _down(0.016 * p.frontal(0.0, 0.24, 0.09, 0.07, 3.0)),
        "nose_height": _forward(0.14 * p.nose()),
        "nose_width": _outward(p, 0.16 * p.side * nose_area)
        + _forward(0.5 * (p.nose(1.12) - p.nose(0.88))),
        "nose_bridge": _forward(0.014 * p.frontal(0.0, 0.075, 0.036, 0.055)),
        "nose_tip": _down(-0.012 * p.frontal(0.0, NOSE_TIP_Y, 0.04, 0.035)),
        "cheekbones": _forward(0.009 * p.frontal(0.225, 0.13, 0.11, 0.08))
        + _outward(p, 0.012 * p.frontal(0.28, 0.11, 0.10, 0.09)),
        "cheek_fullness": _forward(0.020 * p.frontal(0.21, 0.31, 0.10, 0.13))
        + _outward(p, 0.018 * p.frontal(0.26, 0.31, 0.12, 0.15)),
        "mouth_width": _outward(p, 0.10 * p.side * mouth),
        "mouth_height": _down(0.010 * mouth),
        "mouth_forward": _forward(0.012 * mouth),
        "lip_fullness": _forward(0.35 * (p.lips(1.5) - p.lips(0.5)))
        + _down(0.16 * (p.y - MOUTH_Y) * p.frontal(0.0, MOUTH_Y, 0.11, 0.06, 3.0)),
        "smile": _down(-0.011 * corners)
        + _outward(p, 0.012 * corners)
        + _forward(-0.006 * corners + 0.010 * p.frontal(0.2, 0.2, 0.06, 0.06)),
        "ear_size": 0.16 * ears + _down(0.10 * (p.y - EAR_Y) * ear_area),
        "ear_flare": _outward(p, 0.30 * np.abs(ears[..., 0])),
        "neck_width": _outward(p, 0.10 * p.side * p.neck),
        "neck_length": _down(0.030 * smooth_step(p.y, 0.55, 0.85) * p.neck),
        ASYMMETRY_PREFIX + "jaw": 0.010 * lower_face[:, None] * [[1.0, 0.0, 0.0]],
        ASYMMETRY_PREFIX + "nose": 0.008 * nose_area[:, None] * [[1.0, 0.0, 0.0]],
        ASYMMETRY_PREFIX + "mouth": _down(0.05 * p.x * mouth),
    }


@functools.cache
def procedural_head_model(subdivisions: int) -> HeadModel:
    """Builds the model of procedural heads.

    Args:
      subdivisions: Number of segments into which each edge of the octahedron, from
        which the mesh is made, is divided.

    Returns:
      The model. Its largest heads reach slightly beyond the unit ball.
    """
    surface = head_surface(subdivisions)
    places = _Places(surface.points)
    mean = to_unit_ball(surface.points + _features(places))
    variations = _variations(places)
    basis = SCALE * np.stack(list(variations.values()))
    shape = LinearShape(mean.astype(np.float32), basis.astype(np.float32))
    return HeadModel(
        shape=shape,
        skull=shape,
        names=tuple(variations),
        triangles=surface.triangles,
        neighbors=surface.neighbors,
        coordinates=surface.points,
    )
