"""Measurements of the renderer beside other renderers; see docs/benchmarks.md."""
