"""Benchmarks: each file measures one promise, side by side with what it is compared to. Run them with ``python -m benchmarks``."""
