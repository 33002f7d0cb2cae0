"""`python -m local` is `eco2`."""

from local.cli.main import main

main()
