"""Dataclasses that mirror the messages of the services Scan calls.

`mesh.grpc.proto_mirror` converts by field name, and a test compares the names. What a field means stands in the proto.
"""
