"""The command line. One file per command; what they share is in `options`, `output` and `exits`."""
