"""Houses with days and a place of their own, kept by their managers and joined by a code."""
