"""The words both sides speak: messages and stubs of the gRPC service."""
