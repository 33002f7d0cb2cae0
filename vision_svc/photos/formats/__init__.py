"""The picture formats that are taken: what stands in each file beside the picture, and the picture itself.

Only the picture decides whether a photo is taken. What stands beside it (EXIF, text, profiles, other pictures) is read
by our own tolerant parsers or not at all, since a library that stumbles over it would refuse what every viewer shows.
"""
