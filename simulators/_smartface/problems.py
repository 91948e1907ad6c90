"""What the server says no with: a status, and ProblemDetails as the body."""

from collections.abc import Mapping
from typing import Any, Final

_TITLES: Final[Mapping[int, str]] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Refusal(Exception):  # noqa: N818 (a refusal is an answer, not an error)
    """A request that is not carried out. `errors` names members of the request that have the wrong form."""

    def __init__(self, status: int, detail: str, errors: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors

    def body(self, path: str) -> dict[str, Any]:
        """ProblemDetails."""
        problem: dict[str, Any] = {
            "type": f"https://httpstatuses.io/{self.status}",
            "title": _TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
            "instance": path,
        }
        if self.errors is not None:
            problem["errors"] = dict(self.errors)
        return problem


def malformed(name: str, problem: str) -> Refusal:
    """A request of the wrong form: what a validating framework answers before anything is done."""
    return Refusal(400, "One or more validation errors occurred.", {name: [problem]})
