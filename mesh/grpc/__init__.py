"""What speaks gRPC: servers, clients, the status of errors, and who calls."""
