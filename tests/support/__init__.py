"""What several suites share: fake peers and an edge, a worker process and its journal, waiting, ports."""
