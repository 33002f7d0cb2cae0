"""What operators ask of the queue, over gRPC."""
