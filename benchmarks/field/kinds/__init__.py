"""Judgements by kind of mistake, A to J; open first: ``j_fields.py``, the shortest."""

from ..judge import Case
from . import (
    a_orientation,
    b_documents,
    c_shapes,
    d_numbers,
    e_formats,
    e_recognition,
    f_masks,
    g_lists,
    h_names,
    i_whole,
    j_fields,
)

KINDS: dict[str, tuple[Case, ...]] = {
    "A": a_orientation.CASES,
    "B": b_documents.CASES,
    "C": c_shapes.CASES,
    "D": d_numbers.CASES,
    "E": e_recognition.CASES + e_formats.CASES,
    "F": f_masks.CASES,
    "G": g_lists.CASES,
    "H": h_names.CASES,
    "I": i_whole.CASES,
    "J": j_fields.CASES,
}
