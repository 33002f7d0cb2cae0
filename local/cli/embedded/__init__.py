"""The commands of the embedded stack. They take the extra `local`."""
