"""UBL 2.1 orders, Peppol BIS Ordering 3 among them, read completely."""

from tools.documents.ubl.read import read_ubl_order

__all__ = ["read_ubl_order"]
