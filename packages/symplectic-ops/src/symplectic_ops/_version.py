"""The version of the installed distribution."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("symplectic-ops")
except PackageNotFoundError:  # run from the sources, without being installed
    __version__ = "0+sources"
