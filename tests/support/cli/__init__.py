"""What tests of the `eco2` command share."""
