"""Which release this is."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("eco2-client")
except PackageNotFoundError:  # run from its sources
    __version__ = "0"
USER_AGENT = f"eco2-client-python/{__version__}"
