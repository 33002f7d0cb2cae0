"""The same work done by the design that this one replaces, side by side. See bench/README.md."""
