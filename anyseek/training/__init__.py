"""Learning from one's own library: adapters are trained on stored vectors, and kept only where they are measured to be better."""

from .course import train
from .options import Balancing, TrainOptions

__all__ = ["Balancing", "TrainOptions", "train"]
