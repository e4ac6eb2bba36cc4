r"""Formulas of the pages: LaTeX becomes MathML when the site is built, so that reading needs no script.

A block is a fence of the language ``math``; in a line, a formula stands between dollar signs: $D_\theta$.
"""

import re
from typing import Any

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor

INLINE = r"(?<![\\$\w])\$(?=[^\s$])([^$\n]*[^\s$])\$(?!\w)"


def on_config(config: Any, **_: object) -> None:
    """Give Markdown the two notations."""
    config.markdown_extensions.append(Formulas())
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {}).setdefault("custom_fences", [])
    fences.append({"name": "math", "class": "math", "format": displayed})


def displayed(source: str, *_: object, **__: object) -> str:
    """Format the content of a fence as one formula on lines of its own."""
    return f'<div class="formula" tabindex="0">{convert(source.strip(), display="block")}</div>'


class Formulas(Extension):
    """Formulas within a line."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Register the pattern before emphasis and links are looked for."""
        md.inlinePatterns.register(Inline(INLINE, md), "formula", 185)


class Inline(InlineProcessor):
    """Replaces ``$...$``; a price has a digit or letter beside its sign and stays."""

    def handleMatch(self, m: "re.Match[str]", data: str) -> tuple[str, int, int]:  # type: ignore[override]
        """Return the formula as text that Markdown leaves alone, and where it stood."""
        return self.md.htmlStash.store(convert(m[1])), m.start(0), m.end(0)
