"""Zero-shot tags: labels of a vocabulary, scored as queries are, kept as annotations that filters can use."""
