"""Clips: which of their frames are worth a look, taken out in the decoder's process."""
