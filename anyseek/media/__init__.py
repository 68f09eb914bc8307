"""Decoding: files in, upright pictures and windows of mono sound out. Knows no models."""
