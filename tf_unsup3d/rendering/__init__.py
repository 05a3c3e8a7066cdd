"""Differentiable rendering of textured triangle meshes."""
