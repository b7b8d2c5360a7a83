"""Measurements of what WorkReef promises: `python -m benchmarks.NAME`."""
