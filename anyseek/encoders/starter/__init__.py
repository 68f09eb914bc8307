"""The built-in encoder: three small networks in one space, offline, without torch. `encoder.StarterEncoder` is the door."""
