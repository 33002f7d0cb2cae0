"""The supported picture formats: each module reads the picture in a file, and the metadata beside it.

Only the picture decides whether a photo is accepted. Metadata (EXIF, text, profiles, other pictures) is read by our own
tolerant parsers or not at all, since libraries refuse files with damaged metadata that every viewer shows.
"""
