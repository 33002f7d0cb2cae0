"""The client that blocks: written by `make gen` from `_async`, but for `runtime.py`."""
