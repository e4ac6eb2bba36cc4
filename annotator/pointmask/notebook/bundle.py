"""One script from the viewer's modules: a notebook loads one, and has no address to import others from."""

import re
from functools import cache
from importlib.resources import files

# In the order in which they need each other.
MODULES = ("bits", "geometry", "levels", "pool", "overlay", "picture", "viewer", "touch", "gestures")

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(?:view/)?(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:default )?(?=(?:const|function|class) (\w+))", re.MULTILINE)


@cache
def script() -> str:
    """Return the widget's script: each module becomes a function, called once, that gives what it exports."""
    folder = files("pointmask").joinpath("click", "static", "view")
    parts = [_closed(name, folder.joinpath(f"{name}.js").read_text("utf-8")) for name in MODULES]
    own = files("pointmask").joinpath("notebook", "clicker.js").read_text("utf-8")
    return "".join([*parts, _imports(own)])


def style() -> str:
    """Return the widget's style sheet."""
    return files("pointmask").joinpath("notebook", "clicker.css").read_text("utf-8")


def _closed(name: str, source: str) -> str:
    """Put a module into a function of its own, so that private names do not meet those of others."""
    names = [found[1] for found in _EXPORT.finditer(source)]
    body = _EXPORT.sub("", _imports(source))
    if re.search(r"^(import|export)\b", body, re.MULTILINE):
        raise ValueError(f"{name}.js imports or exports in a form that the bundle does not know")
    return f"const {name} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();\n"


def _imports(source: str) -> str:
    return _IMPORT.sub(r"const {\1} = \2;", source)
