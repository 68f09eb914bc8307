"""Properties are tested without a limit on time: machines are noisy, and speed is a benchmark's to tell."""

from hypothesis import settings

settings.register_profile("anyseek", deadline=None)
settings.load_profile("anyseek")
