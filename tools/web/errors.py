"""Why a page is not read. No other arguments help.

* ToolFailed
  + AddressRefused   we do not go there: not http(s), a private address, a port or a redirect that is not allowed
  + PageTooLarge     more bytes than are read, or packed
"""

from __future__ import annotations

from tools.errors import ToolFailed


class AddressRefused(ToolFailed):
    """We do not go there."""

    code = "address_refused"


class PageTooLarge(ToolFailed):
    """More bytes than are read."""

    code = "page_too_large"
