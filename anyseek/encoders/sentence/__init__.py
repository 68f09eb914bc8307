"""The encoder behind ``st:``: models that Sentence Transformers can load, with what they have of text, pictures, sound and film.

Only `network` imports torch, when the first input comes; all else is read from a checkpoint's configuration files.
"""

from .encoder import SentenceEncoder

__all__ = ["SentenceEncoder"]
