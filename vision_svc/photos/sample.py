"""A photo of our own, by which a decoder shows that it works: eight by eight pixels of teal, as PNG."""

import base64

SAMPLE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEElEQVR42mNgaGjAjoaWBADiMEABsMU5DQAAAABJRU5ErkJggg=="
)
