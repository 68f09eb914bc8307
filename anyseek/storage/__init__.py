"""The library on disk: the catalog is the truth, the vector index a cache of it."""
