"""The data doctor: what is recognised in images, points, masks and lists, what is wrong, and the cure.

`examine` reads everything once and writes nothing; `pointmask.doctor.fix.write_fixed` makes a corrected
copy of what it found.
"""

from pointmask.doctor.examine import examine as examine
from pointmask.doctor.findings import Diagnosis as Diagnosis
from pointmask.doctor.findings import Finding as Finding
from pointmask.doctor.findings import Group as Group
