"""Patterns of what a message must say, wide enough for any wording, that several kinds share."""

from .checks import says

# What to do next, beyond "correct it".
FIX = (
    r"\b(add|apply|convert|crop|delete|divide|drop|export|give|multiply|open|pass|put|remove|rename"
    r"|replace|resize|rotate|save|scale|set|strip|swap|take|turn|use|write)\b"
)

# A row is a box, not a click: it names boxes, or what they have.
BOX = r"\bbox(es)?\b|\bcorners?\b|\bmiddles?\b|\bcent(re|er)s?\b|\brectangles?\b"

# A judgement of all clicks: how few of them show a target. Notes on single points do not say so.
FEW = r"no|none|not one|hardly (a|any)|nearly no|nearly none|almost no|almost none|few|only|most|all|every"
CLICKS = r"clicks?|points?|targets?"
NO_TARGETS = (
    rf"\b({FEW}|\d+ of( the| all)? \d+)\b[^.\n]{{0,40}}\b({CLICKS})\b[^.\n]{{0,60}}"
    r"\b(targets?|peaks?|bright|beside|chance|swapped|shifted|displaced|scaled|flipped|percent)\b"
    rf"|\b({CLICKS})\b[^.\n]{{0,40}}\b(not|miss|beside|off)\b[^.\n]{{0,40}}\btargets?\b"
)

MANY_ENCODINGS = r"gbk|gb[ -]?18030|gb[ -]?2312|cp ?936"


def size(width: int, height: int) -> str:
    """Pattern of a size, in either order and however it is written."""
    between = r"(?!\d)[^\d\n]{1,12}(?<!\d)"
    return rf"(?<!\d)({width}{between}{height}|{height}{between}{width})(?!\d)"


says_box = says("that it is a box", BOX)
says_no_targets = says("that hardly a click shows a target", NO_TARGETS)
