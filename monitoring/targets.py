"""How our series are told from all others in a Prometheus, where names alone don't do it."""

# The chart's ServiceMonitors name them so: eco2-scan, eco2-worker, …, eco2-edge.
JOBS = 'job=~"eco2-.+"'
# Of Envoy's figures those of users' calls, not of its health checks and its administration.
PUBLIC = 'job="eco2-edge", envoy_http_conn_manager_prefix="public"'
# Calls that last as long as somebody listens, or as a model writes: how long they take says nothing.
STREAMS = ".+/(WatchScan|StreamEvents|StreamTaskProgress|Classify|AdviseDisposal|ComposeAnswer)"


def at_most(bound: float) -> str:
    """The matcher of a histogram's bucket, whether its bound is written "20" or "20.0"."""
    figure = f"{bound:g}".replace(".", "[.]")
    return f'le=~"{figure}([.]0)?"'
