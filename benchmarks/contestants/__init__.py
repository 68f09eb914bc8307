"""Programs that turn a folder of photos into vectors, each run in a process of its own: ``python FILE CHECKPOINT PHOTOS FOLDER``.

CHECKPOINT is what `benchmarks.checkpoint` made, and FOLDER is empty and theirs. Each loads its model, computes once to warm up, then
works through the photos. Its last line is JSON: ``count`` photos in ``seconds`` by the clock and ``cpu`` seconds, and ``vector``, that of
the first photo. Those of other projects run in environments of their own and import nothing of ours.
"""
