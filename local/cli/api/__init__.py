"""The API as clients use it: REST, and gRPC for operations."""
