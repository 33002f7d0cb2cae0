"""The life of a process that serves: how it starts and ends, and its memory."""
