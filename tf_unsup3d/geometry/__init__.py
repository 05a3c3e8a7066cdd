"""Surfaces, cameras and viewpoints."""
