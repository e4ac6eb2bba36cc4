"""What the flags of a target say, in words, for every page that shows them."""

FLAG_TEXTS = {
    "weak": "No pixel near the point stands out enough: the mask is the pixel of the point alone.",
    "beside": "The mask lies two pixels or more from its own click, so it may be something else's.",
    "flat": "The image is constant around the point: the mask is the pixel of the point alone.",
    "clipped": "The mask reaches the border of the window that was searched, so the target may be larger.",
    "nonfinite": "Pixels near the target hold no number (NaN or infinite) and were filled in.",
    "border": "The mask touches the border of the image, so part of the target may lie outside.",
    "shared": "The mask overlapped that of another point, and the common pixels were divided.",
    "dark": "The target is darker than its surroundings.",
    "carried": "The point was not given but tracked from an earlier frame.",
    "crossing": "Two tracked targets meet here, so the place is an estimate.",
    "refound": "The track was lost and found again here.",
    "identity": "After a meeting it is not certain which track belongs to which target.",
    "last": "The track ends here: the target is lost in the next frame.",
}
"""Sentence by flag; see `pointmask.annotator.target.Target` and `pointmask.tracking.sequences`."""

DOUBTS = frozenset({"weak", "beside", "flat", "clipped", "nonfinite", "identity", "last"})
"""Flags that cast doubt on the mask; the others only describe it."""


def flag_text(flag: str) -> str:
    """Return the sentence of a flag, or "" for one that is not pointmask's."""
    return FLAG_TEXTS.get(flag, "")
