"""What mutual TLS inside costs."""
