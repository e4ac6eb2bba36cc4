"""The parts of ``field_cases.py``: running a case, what its images show, checks, judgements by kind."""
