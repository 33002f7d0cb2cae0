"""`python -m mesh.bucket prepare` makes the photos' bucket ready: the name operators know; see `mesh.s3.prepare`."""

from mesh.s3.prepare import main

if __name__ == "__main__":
    main()
