"""Where an inference server is and how it is spoken to."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

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
        """Check all of it. Raises ValueError, which shows neither token nor address."""
        if not self.url.isascii() or any(letter <= " " for letter in self.url):
            raise ValueError("the address of an inference server has letters that an address cannot have")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address of an inference server begins with http:// or https:// and a name")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("the address of an inference server holds no login, no query and no fragment")
        _ = parts.port  # raises ValueError for a port that is none
        if self.token is not None and not (self.token.isascii() and self.token.isprintable() and self.token.strip()):
            raise ValueError("a token is plain text in one line")
        if not 0 < self.timeout <= 60 or not 0 < self.retry <= 3600:
            raise ValueError("a time is out of bounds")

    @property
    def host(self) -> str:
        """Name or address alone, for the log."""
        return urlsplit(self.url).hostname or ""

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return urlsplit(self.url).scheme == "https"

    @property
    def port(self) -> int:
        """The port, also where the address leaves it out."""
        return urlsplit(self.url).port or (443 if self.secure else 80)

    @property
    def path(self) -> str:
        """What stands before `/v2`, without a slash at its end; an address that ends in `/v2` means the same."""
        return urlsplit(self.url).path.rstrip("/").removesuffix("/v2")
