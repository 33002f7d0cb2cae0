import asyncio
import sys

from eco2_client import AnswerText, AsyncClient, Classified


async def main(photo: str) -> None:
    async with AsyncClient(locale="en") as client:
        async for event in client.scan(photo, location=(37.5636, 126.9084)):
            if isinstance(event, Classified):
                print(event.classification.display_name)
            elif isinstance(event, AnswerText):
                print(event.added, end="", flush=True)


asyncio.run(main(sys.argv[1]))
