"""Meshes, pictures and videos on disk."""
