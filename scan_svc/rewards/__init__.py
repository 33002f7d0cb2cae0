"""The reward of a scan that has succeeded: a job of its own, beside the answer."""
