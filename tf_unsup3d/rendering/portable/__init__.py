"""The rasteriser in stock TensorFlow ops.

It lists the same fragments as the compiled op, to rounding, and TensorFlow
differentiates it. Geometry is computed in double precision, as in the op. Which
triangles and edges a pixel sees is found without gradient among candidates: pairs of a
triangle or a silhouette edge and a pixel that it may reach, in flat lists over the
whole batch. What they show is then computed for these alone, so that no unselected
branch can spoil a gradient.

Points are tuples (x, y, z) of tensors of one shape, homogeneous like the vertices.
Where tensors are `[3, n]`, there is a row for each corner.
"""
