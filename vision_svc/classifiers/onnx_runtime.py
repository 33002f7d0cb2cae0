"""onnxruntime without telemetry. Ruff lets no other module import it.

Otherwise, as soon as it is imported, it writes a file that identifies the machine into the home folder, and seconds
later sends usage events. It reads the variable when it is loaded, so the variable is set before the import.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# isort: split

import onnxruntime

__all__ = ["onnxruntime"]
