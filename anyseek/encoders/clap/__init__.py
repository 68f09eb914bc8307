"""The encoder behind ``clap:``: sounds and text with CLAP (Wu et al. 2023, arXiv:2211.06687), as transformers computes it.

Only `network` imports torch and transformers, when the first input comes; all else is read from a checkpoint's configuration files.
"""

from .encoder import ClapEncoder

__all__ = ["ClapEncoder"]
