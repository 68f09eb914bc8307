"""The encoder behind ``open_clip:``: pictures and text with any model of OpenCLIP.

Only `network` imports torch and OpenCLIP, when the first input comes; all else is read from files.
"""

from .encoder import OpenClipEncoder

__all__ = ["OpenClipEncoder"]
