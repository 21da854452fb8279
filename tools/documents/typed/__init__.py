"""Purchase orders that people typed or printed: PDF text, e-mails, plain text."""

from tools.documents.typed.parse import parse_typed_order

__all__ = ["parse_typed_order"]
