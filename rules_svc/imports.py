"""`python -m rules_svc.imports` imports places: the name that operators know; see `rules_svc.places.import_cli`."""

from rules_svc.places.import_cli import main

if __name__ == "__main__":
    main()
