"""The rules, open to questions over REST: the same answers as `manage.py preview`."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents import previews
from supportdesk.errors import Invalid, NotFound
from supportdesk.web.api.tokens import HasScope


class PreviewView(APIView):
    """What the rules answer to a case of your own. Reads and stores nothing of the desk."""

    permission_classes = [HasScope]
    scopes = {"POST": "read"}

    @extend_schema(operation_id="preview", request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, kind: str) -> Response:
        if kind not in previews.KINDS:
            raise NotFound(f"There is no such preview; there are {', '.join(previews.KINDS)}.")
        try:
            return Response(previews.answer(kind, request.data))
        except ValueError as error:
            path, _, words = str(error).partition(": ")
            raise Invalid(words or path, field=path if words else "") from error
