"""A consumer of events, as a process of its own: `python -m tests.integration.scan.events.consumer TARGET CURSOR`.

It prints the id of each event on a line. When its stream ends it goes on from the last cursor, as consumers do.
"""

import sys

import grpc

from eco2.events.v1 import events_service_pb2 as pb
from eco2.events.v1.events_service_pb2_grpc import EventsServiceStub


def main(target: str, cursor: str) -> None:
    """Follows the log until its standard output is closed."""
    with grpc.insecure_channel(target) as channel:
        stub = EventsServiceStub(channel)
        while True:
            try:
                for response in stub.SubscribeEvents(pb.SubscribeEventsRequest(cursor=cursor), wait_for_ready=True):
                    for event in response.events:
                        print(event.id, flush=True)
                    cursor = response.cursor
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise


if __name__ == "__main__":
    main(*sys.argv[1:])
