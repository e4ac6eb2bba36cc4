"""The version, in one place: the package, the manifests and pyproject.toml read it here."""

__version__ = "0.1.0"
