"""Reading what people send: text, and the purchase order in it."""

from tools.documents.errors import UnreadableDocument
from tools.documents.read import ReadDocument, read_order

__all__ = ["ReadDocument", "UnreadableDocument", "read_order"]
