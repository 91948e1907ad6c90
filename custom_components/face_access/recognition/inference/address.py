"""Where an inference server is and how it is spoken to."""

from dataclasses import dataclass, field
from typing import Final

from yarl import URL

from ..remote.http import base_of, for_header

TIMEOUT: Final = 2.0
RETRY: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One server. A token appears in no repr.

    `url` is what stands before `/v2`: http or https, and a path where a gateway wants one. `timeout` bounds one request
    as a whole, in seconds; `retry` is how long a server that failed is left alone. `binary` None sends binary tensors
    where the server declares that it reads them; True and False say so in its place, for servers that do not tell.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    verify: bool = True
    """Whether the certificate must be valid."""
    timeout: float = TIMEOUT
    retry: float = RETRY
    binary: bool | None = None

    def __post_init__(self) -> None:
        """Check all of it. Raises EngineAddressError and EngineAuthError, which show neither address nor token."""
        base_of(self.url)
        if self.token is not None:
            for_header(self.token)
        if not 0 < self.timeout <= 60 or not 0 < self.retry <= 3600:
            raise ValueError("a time is out of bounds")

    @property
    def _base(self) -> URL:
        return base_of(self.url)

    @property
    def host(self) -> str:
        """Name or address alone, for the log."""
        return self._base.raw_host or ""

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return self._base.scheme == "https"

    @property
    def port(self) -> int:
        """The port, also where the address leaves it out."""
        return self._base.port or 0

    @property
    def path(self) -> str:
        """What stands before `/v2`, without a slash at its end; an address that ends in `/v2` means the same."""
        return self._base.raw_path.rstrip("/").removesuffix("/v2")
