"""Answering queries: encode, fuse, look up, score, merge into moments."""
