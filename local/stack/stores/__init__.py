"""The stores of the embedded stack, one of each or in the shapes of large systems."""
