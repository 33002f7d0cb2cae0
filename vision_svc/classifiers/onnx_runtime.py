"""onnxruntime, told to keep to itself. Nobody else may import it: ruff says so.

By itself it makes a file that identifies the machine in the home folder as soon as it is imported, and seconds later
sends usage events to its maker. It reads the variable when it is loaded, so this can't wait for a setting.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# isort: split

import onnxruntime

__all__ = ["onnxruntime"]
