"""Meshes, the sphere and its texture layout, normals, and viewpoints."""
