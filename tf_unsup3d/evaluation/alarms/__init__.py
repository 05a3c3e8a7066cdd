"""Alarms about shape that need no truth."""
