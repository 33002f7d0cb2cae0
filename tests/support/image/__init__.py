"""The container image, unpacked and run without a container engine."""
