"""A cleaned photo as numbers, for the offline model."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from vision_svc.photos.photos import Photo

Pixels = NDArray[np.uint8]
"""RGB, uint8 [height, width, 3], in sRGB."""


def pixels(photo: Photo) -> Pixels:
    """The photo's pixels, read-only. Safe in this process: the JPEG is one we wrote ourselves."""
    with JpegImageFile(BytesIO(photo.jpeg)) as image:
        return np.asarray(image)
