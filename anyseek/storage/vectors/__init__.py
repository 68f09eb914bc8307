"""Nearest vectors by inner product: one protocol, exact in every implementation here."""
