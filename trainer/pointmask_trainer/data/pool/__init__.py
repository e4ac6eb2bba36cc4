"""Images in one block of memory, and crops gathered from it: any affine view, reflected beyond the border.

May import: nothing of the project. Open first: ``crops.py``.
"""

from pointmask_trainer.data.pool.crops import AffineViews as AffineViews
from pointmask_trainer.data.pool.crops import Pool as Pool
from pointmask_trainer.data.pool.crops import moved as moved
