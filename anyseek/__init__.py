"""anyseek: cross-modal semantic search for pictures, sounds and videos."""

__version__ = "0.1.0"
