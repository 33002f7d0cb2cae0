"""What is measured, a module each: A to F."""
