"""Meshes, pictures, sheets and videos, in memory and as files."""
