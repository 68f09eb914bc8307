"""Keeping the library in line with the disk: scan, diff, decode, batch, encode, store."""
