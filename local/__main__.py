"""`python -m local` is `eco2`."""

from local.cli import main

main()
