"""The stages of a scan, and how one is executed."""
