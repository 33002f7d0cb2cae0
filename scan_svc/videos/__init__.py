"""Clips: the frames that are worth a look are classified one by one, and become one scan of several things."""
