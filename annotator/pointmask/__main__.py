"""``python -m pointmask`` is ``pointmask``."""

from pointmask.cli import main

main(prog_name="pointmask")
