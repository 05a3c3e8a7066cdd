"""Trained models and their files: what training produces and the rest uses."""
