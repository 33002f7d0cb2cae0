"""Calls between services of one process: gRPC's own interfaces without a socket."""
