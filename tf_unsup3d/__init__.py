"""Unsupervised learning of 3D shape from natural images."""

__version__ = "0.1.0"
