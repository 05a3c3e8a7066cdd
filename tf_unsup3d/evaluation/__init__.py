"""Measures of pictures and shapes."""
