"""`/mcp`: the MCP server over HTTP, for programs with an API key."""

from __future__ import annotations

from io import BytesIO
from typing import cast

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from orchestra.accounts.authentication import ApiKeyAuthentication
from orchestra.accounts.models import User
from orchestra.accounts.origins import require_own_origin
from orchestra.common.parsing import JSONParser
from search.errors import MessageTooLarge
from search.mcp.wires import exchange

MOST_BYTES = 256 * 1024


class McpView(APIView):
    """One message in, one out. The server has nothing to say on its own, so that there is nothing to GET."""

    authentication_classes = [ApiKeyAuthentication]

    @extend_schema(exclude=True)  # it is described by the protocol's own `tools/list`
    def post(self, request: Request) -> HttpResponse:
        """Answer a message. It is done on the server's own event loop, and Django's part in this request's thread."""
        require_own_origin(request.headers.get("Origin"))
        body = _body(request)
        reply = async_to_sync(exchange)(cast(User, request.user), request.headers, body)
        response = HttpResponse(reply.body, status=reply.status, headers={"Cache-Control": "no-store"})
        del response["Content-Type"]
        if kind := reply.headers.get("content-type"):
            response["Content-Type"] = kind
        return response


def _body(request: Request) -> bytes:
    """Return the body. Raises MessageTooLarge, or ParseError for what is no JSON or nested too deeply."""
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise MessageTooLarge(limit=MOST_BYTES)
    JSONParser().parse(BytesIO(body), parser_context={"encoding": "utf-8"})
    return body
