"""What a sensor or a transfer spoils in a frame, found in it alone: margins, lines, lone pixels, gaps.

NumPy, for programs that load no kernels; `pointmask.mending` has the quick search.
May import: theta. Open first: ``mending.py``, then ``lines.py`` and ``pixels.py``.
"""

from pointmask.defects.gaps import fill_gaps as fill_gaps
from pointmask.defects.lines import Line as Line
from pointmask.defects.mending import KEEP as KEEP
from pointmask.defects.mending import MARGINS as MARGINS
from pointmask.defects.mending import REPLACED as REPLACED
from pointmask.defects.mending import DeadPixels as DeadPixels
from pointmask.defects.mending import Mending as Mending
from pointmask.defects.mending import mend as mend
from pointmask.defects.mending import mended as mended
from pointmask.defects.search import PLAIN as PLAIN
from pointmask.defects.search import Search as Search
