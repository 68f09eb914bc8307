"""What was trained on a library's own vectors, how it is kept, and applying it: with numpy alone."""
