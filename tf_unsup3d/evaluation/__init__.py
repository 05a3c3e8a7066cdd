"""Measures of the pictures and shapes of trained models."""
