"""Reading the web: every address that comes from outside is reached through here."""

from tools.web.client import Fetched, WebClient, WebLimits
from tools.web.errors import AddressRefused, PageTooLarge

__all__ = ["AddressRefused", "Fetched", "PageTooLarge", "WebClient", "WebLimits"]
