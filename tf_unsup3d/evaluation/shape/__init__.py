"""Depth measured against that of heads whose shape is known."""
