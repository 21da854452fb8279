"""How much of a document is read. Past a limit it is refused whole: half an order is worse than none."""

from __future__ import annotations

MAX_BYTES = 10 * 1024 * 1024
MAX_XML_BYTES = 5 * 1024 * 1024
MAX_PAGES = 50
MAX_CHARACTERS = 200_000
MAX_ATTACHMENTS = 20
MAX_BOUNDARIES = 500  # lines of an e-mail that could begin a part
MAX_HEADER_CHARACTERS = 20_000  # of one part of an e-mail
MAX_HTML_CHARACTERS = 500_000  # of an e-mail
MAX_LINE_CHARACTERS = 2_000
MAX_ORDER_LINES = 5_000
MAX_OTHER = 500  # values that an order has no place for; more of them say nothing of the order
PDF_SECONDS = 15.0  # wall clock; the worker's CPU time is limited too
PDF_MEMORY_BYTES = 1024 * 1024 * 1024
