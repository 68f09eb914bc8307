"""Encoders turn text, pictures and sounds into vectors of one space; `registry.load` finds one by name.

Nothing is imported here, so that asking for the protocol never loads a model.
"""
