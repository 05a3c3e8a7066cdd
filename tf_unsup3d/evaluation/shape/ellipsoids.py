"""Ellipsoids fitted to depth maps, and the relief that they leave."""

import numpy as np

from tf_unsup3d.rendering.camera import PinholeCamera

# A fit of nine parameters gets slower with more pixels, but no better.
_FITTED_RESOLUTION = 32
_FEWEST_PIXELS = 36
_ITERATIONS = 40
# Rounds the rim of the ellipsoid, where its slope would be infinite.
_ROUNDING = 0.01
# Number of pictures fitted at once, which limits the memory.
_CHUNK = 64


def ellipsoid_residual(
    depth: np.ndarray, mask: np.ndarray, camera: PinholeCamera
) -> np.ndarray:
    """Subtracts the best-fitting ellipsoid from each depth map.

    The front of any ellipsoid is z = z0 + a x + b y - c sqrt(1 - |L^T (p - p0)|^2) at
    p = (x, y), with a lower triangular 2 x 2 matrix L: nine parameters for each
    picture. The Levenberg-Marquardt method minimizes the sum of squared differences in
    z over the points in the mask. It starts from the ellipse with the moments of these
    points, so that the result depends on the picture alone. A negative c is an
    ellipsoid seen from within. Unlike a fitted quadric, the result is an ellipsoid for
    any input, even for a flat or hollow surface.

    Args:
      depth: `[pictures, height, width]`, depth from the camera, positive in the mask.
      mask: `[pictures, height, width]` bool.
      camera: Camera of the depth maps.

    Returns:
      `[pictures, height, width]` float64, in units of the RMS distance across the
      picture of the points in the mask from their mean; 0 outside the mask, NaN in
      masks of too few pixels.
    """
    parts = [
        _residual(depth[first : first + _CHUNK], mask[first : first + _CHUNK], camera)
        for first in range(0, len(depth), _CHUNK)
    ]
    return np.concatenate(parts)


def _residual(depth: np.ndarray, mask: np.ndarray, camera: PinholeCamera) -> np.ndarray:
    pictures, height, width = mask.shape
    points = camera.back_project(np.where(mask, depth, 0.0))
    step = max(1, min(height, width) // _FITTED_RESOLUTION)
    weight = mask[:, ::step, ::step].reshape(pictures, -1).astype(np.float64)
    fitted = points[:, ::step, ::step].reshape(pictures, -1, 3)
    count = np.maximum(weight.sum(1), 1.0)[:, None]
    middle = np.einsum("np,npk->nk", weight, fitted) / count
    spread = np.einsum("np,npk->nk", weight, (fitted - middle[:, None]) ** 2) / count
    scale = np.sqrt(np.maximum(spread[:, 0] + spread[:, 1], 1e-12))

    def normalized(values: np.ndarray) -> np.ndarray:
        values = values.reshape(pictures, -1, 3) - middle[:, None]
        return np.moveaxis(values / scale[:, None, None], -1, 0)

    x, y, z = normalized(fitted)
    parameters = _fit(x, y, z, weight)
    x, y, z = normalized(points)
    residual = z - _surface(parameters, x, y)[0]
    residual[weight.sum(1) < _FEWEST_PIXELS] = np.nan
    return np.where(mask, residual.reshape(mask.shape), 0.0)


def _surface(
    parameters: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Depth `[pictures, points]` and its derivatives by the nine parameters."""
    z0, a, b, c, x0, y0, l11, l21, l22 = parameters.T[..., None]
    u = l11 * (x - x0) + l21 * (y - y0)
    v = l22 * (y - y0)
    inside = 1.0 - u * u - v * v
    root = np.hypot(inside, _ROUNDING)
    height = np.sqrt(0.5 * (inside + root))
    slope = -c * height / root  # by `inside`, twice
    derivatives = [
        np.ones_like(x),
        x,
        y,
        -height,
        slope * u * l11,
        slope * (u * l21 + v * l22),
        -slope * u * (x - x0),
        -slope * u * (y - y0),
        -slope * v * (y - y0),
    ]
    return z0 + a * x + b * y - c * height, np.stack(derivatives, -1)


def _fit(x: np.ndarray, y: np.ndarray, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fits nine parameters per picture to points of mean 0 and weight 0 or 1."""
    count = np.maximum(weight.sum(1), 1.0)
    xx, xy, yy = (
        (weight * product).sum(1) / count + bias
        for product, bias in ((x * x, 1e-6), (x * y, 0.0), (y * y, 1e-6))
    )
    # An ellipse with semi-axes A has the second moments A^2 / 4. One of twice the area,
    # with axes longer by sqrt(2), has all points well inside, even if the mask is only
    # part of an ellipse.
    covariance = np.stack([xx, xy, xy, yy], -1).reshape(-1, 2, 2)
    lower = np.linalg.cholesky(np.linalg.inv(8.0 * covariance))
    parameters = np.zeros([len(x), 9])
    parameters[:, 6] = lower[:, 0, 0]
    parameters[:, 7] = lower[:, 1, 0]
    parameters[:, 8] = lower[:, 1, 1]
    identity = np.eye(9)
    # The first four parameters are linear.
    _, derivatives = _surface(parameters, x, y)
    linear = derivatives[..., :4] * weight[..., None]
    normal = np.matmul(linear.transpose(0, 2, 1), linear) + 1e-9 * identity[:4, :4]
    right = np.einsum("npk,np->nk", linear, weight * z)
    parameters[:, :4] = np.linalg.solve(normal, right[..., None])[..., 0]

    damping = np.full(len(x), 1e-3)
    surface, derivatives = _surface(parameters, x, y)
    error = weight * (z - surface)
    cost = (error**2).sum(1)
    for _ in range(_ITERATIONS):
        jacobian = derivatives * weight[..., None]
        normal = np.matmul(jacobian.transpose(0, 2, 1), jacobian)
        right = np.einsum("npk,np->nk", jacobian, error)
        diagonal = np.einsum("nkk->nk", normal)
        # The last term keeps parameters that have no effect where they are.
        added = damping[:, None] * diagonal + 1e-9 * count[:, None]
        step = np.linalg.solve(normal + added[..., None] * identity, right[..., None])[
            ..., 0
        ]
        tried = parameters + step
        surface, tried_derivatives = _surface(tried, x, y)
        tried_error = weight * (z - surface)
        tried_cost = (tried_error**2).sum(1)
        better = tried_cost < cost
        parameters[better] = tried[better]
        derivatives[better] = tried_derivatives[better]
        error[better] = tried_error[better]
        cost = np.where(better, tried_cost, cost)
        damping = np.clip(np.where(better, 0.2 * damping, 5.0 * damping), 1e-9, 1e6)
    return parameters
