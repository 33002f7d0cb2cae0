"""Several services in one process: each as its own `app.py` builds it, calling each other without a socket."""
