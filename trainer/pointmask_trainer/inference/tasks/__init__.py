"""What a network's output is: probabilities of pixels, or a heat map whose peaks are points.

A task reads frames with its network and says which targets they hold and where their masks are. Validation,
prediction and evaluation ask it, and know of neither kind::

    task = task_of(model, operator)
    reading, = task.read(model, frames, normalisation)    # a frame's
    drawn = task.draw(image, reading)                     # a map of probabilities, and targets

May import: tiles, the annotator's masks and the records of detected targets. Open first: ``base.py``.
"""
