"""`pointmask check`: what is recognised in images, points, masks and lists, what is wrong, and the cure.

`examine` reads everything once and writes nothing; `fix.write_fixed` makes a corrected copy. Each other
module looks for one kind of trouble: `pixels`, `targets`, `mixed_up` pairs, `twins`, `lists`.
May import: folder (its plan), io, executors, components, errors. Never annotator or kernels: a check
compiles nothing. Open first: ``examine.py``.
"""

from pointmask.doctor.examine import examine as examine
from pointmask.doctor.findings import Diagnosis as Diagnosis
from pointmask.doctor.findings import Finding as Finding
from pointmask.doctor.findings import Group as Group
