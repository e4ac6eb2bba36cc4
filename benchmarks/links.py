"""Ask every address outside of the project that the site, the README or the citation name whether it answers.

make docs && python benchmarks/links.py

The tests check links within the site; this needs the network, so it is no test. Prints a line for each
address that gives no page, with where it stands, and returns 1 if there is one.
"""

import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from html import unescape
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECONDS = 20


def main() -> int:
    """Ask each address once."""
    if not (ROOT / "site" / "index.html").exists():
        print("no site to look through; build it with: make docs", file=sys.stderr)
        return 1
    places = addresses()
    silent = {address: why for address in sorted(places) if (why := asked(address))}
    for address, why in silent.items():
        print(f"{address}: {why} (in {', '.join(sorted(places[address]))})")
    print(f"{len(places) - len(silent)} of {len(places)} addresses answer")
    return 1 if silent else 0


def addresses() -> dict[str, set[str]]:
    """Return each address, without its fragment, and the files that name it."""
    found: dict[str, set[str]] = {}
    for path in files():
        pattern = r'href="(https?://[^"#]+)' if path.suffix == ".html" else r"https?://[^\s)>\]\"'`#]+"
        for address in re.findall(pattern, path.read_text(encoding="utf-8")):
            found.setdefault(unescape(address), set()).add(str(path.relative_to(ROOT)))
    return found


def files() -> Iterator[Path]:
    """Yield the pages of the site, and the files that people read without it."""
    yield from (ROOT / "site").rglob("*.html")
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CITATION.cff"))


def asked(address: str) -> str:
    """Return why an address gives no page; empty if it does."""
    request = urllib.request.Request(address, headers={"User-Agent": "pointmask link check"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return f"status {error.code}"
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
