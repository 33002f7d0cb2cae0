"""The official SDK, as far as it is used: one request at a time, its response as it comes."""

from typing import Any, cast

import httpx2
import openai

from mesh.models.http_client import ProviderHttpClient, parsed


class Sdk(openai.AsyncOpenAI):
    """The official SDK without retries, which know neither deadline nor budget, and without cookies.

    Args:
        api_key: Of the provider.
        base_url: Likewise.
    """

    def __init__(self, api_key: str, base_url: str) -> None:
        super().__init__(api_key=api_key, base_url=base_url, max_retries=0, http_client=ProviderHttpClient())

    async def complete(self, content: bytes, seconds: float, *, streamed: bool) -> httpx2.Response:
        """The response to a chat completion's body: the whole of it, or where it begins.

        Args:
            content: JSON.
            seconds: The timeout sent to the provider in a header; not enforced here.
            streamed: Whether the body asks for a stream. Close the response then.

        Raises:
            OpenAIError: Whatever the SDK makes of a failure.
        """
        response: Any = await self.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            content=content,
            options={"headers": {"Content-Type": "application/json"}, "timeout": seconds},
            stream=streamed,
        )
        return cast(httpx2.Response, response)

    def _prepare_url(self, url: str) -> httpx2.URL:
        # A hook of the SDK, which its client for Azure uses too: the address is parsed once, not four times a request.
        return parsed(f"{self.base_url}{url.lstrip('/')}")
