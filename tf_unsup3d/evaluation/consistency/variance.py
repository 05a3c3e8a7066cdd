"""How much of pictures comes from what is drawn, and how much from where it is seen."""

import numpy as np

_CHUNK = 4096


def variance_shares(values: np.ndarray) -> dict[str, float]:
    """Two-way analysis of variance with one value in each cell (Fisher 1925).

    With x_lv the vector of latent l seen from viewpoint v and dots for means,
    sum |x_lv - x..|^2 = sum |x_l. - x..|^2 + sum |x_.v - x..|^2
    + sum |x_lv - x_l. - x_.v + x..|^2, all sums over l and v.

    Args:
      values: [latents, viewpoints, ...], two or more of each.

    Returns:
      The three parts by the whole: "latent", "view" and "interaction", which sum to 1;
      all of them are 0 where nothing varies.
    """
    latents, views = values.shape[:2]
    flat = values.reshape(latents, views, -1)
    parts = np.zeros(3)
    # In pieces, to have double precision without the memory for all of it.
    for first in range(0, flat.shape[-1], _CHUNK):
        piece = flat[..., first : first + _CHUNK].astype(np.float64)
        piece -= piece.mean((0, 1))
        by_latent = piece.mean(1, keepdims=True)
        by_view = piece.mean(0, keepdims=True)
        parts += [
            views * np.sum(by_latent**2),
            latents * np.sum(by_view**2),
            np.sum((piece - by_latent - by_view) ** 2),
        ]
    total = parts.sum()
    shares = parts / total if total > 0.0 else parts
    return dict(zip(("latent", "view", "interaction"), shares.tolist(), strict=True))
