"""Learning from one's own library: adapters are trained on stored vectors, and kept only where they are measured to be better."""
