"""A few tools of an office, for tests of what stands between a model and its tools. None of them runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.money import Money
from tools.registry import AnyTool, tool
from tools.values import Customer, Document, Email, Invoice, Product, Ref


class FindCustomer(BaseModel):
    query: Annotated[str, Field(min_length=1, max_length=80, description="Name or e-mail address.")]


class CustomerRow(BaseModel):
    id: Ref[Customer]
    name: str
    email: Email | None = None


class Customers(BaseModel):
    customers: list[CustomerRow]


@tool(effect="read", timeout=1.0)
async def find_customer(args: FindCustomer, ctx: ToolContext) -> Customers:
    """Find customers by name."""
    raise NotImplementedError


class GetCustomer(BaseModel):
    customer: Ref[Customer]


class CustomerRecord(CustomerRow):
    credit_limit: Money
    notes: str = ""


@tool(effect="read", timeout=1.0)
async def get_customer(args: GetCustomer, ctx: ToolContext) -> CustomerRecord:
    """A customer's record."""
    raise NotImplementedError


class ReadDocument(BaseModel):
    document: Ref[Document]


class Content(BaseModel):
    document: Ref[Document]
    total: Money | None = None
    text: str = ""


@tool(effect="read", timeout=1.0, results="document")
async def read_document(args: ReadDocument, ctx: ToolContext) -> Content:
    """Read a document."""
    raise NotImplementedError


class Line(BaseModel):
    product: Ref[Product]
    quantity: Annotated[float, Field(gt=0)]
    price: Money | None = None


class DraftInvoice(BaseModel):
    customer: Ref[Customer]
    lines: Annotated[list[Line], Field(min_length=1, max_length=100)]
    note: Annotated[str | None, Field(max_length=2_000)] = None


class InvoiceRecord(BaseModel):
    id: Ref[Invoice]
    number: Ref[Invoice] | None = None
    customer: Ref[Customer]
    total: Money


@tool(effect="write", timeout=1.0)
async def draft_invoice(args: DraftInvoice, ctx: ToolContext) -> InvoiceRecord:
    """Draft an invoice."""
    raise NotImplementedError


class IssueInvoice(BaseModel):
    invoice: Ref[Invoice]


@tool(effect="write", timeout=1.0)
async def issue_invoice(args: IssueInvoice, ctx: ToolContext) -> InvoiceRecord:
    """Issue an invoice."""
    raise NotImplementedError


class ListInvoices(BaseModel):
    customer: Ref[Customer] | None = None
    status: Literal["draft", "issued", "paid"] | None = None


class Invoices(BaseModel):
    invoices: list[InvoiceRecord]


@tool(effect="read", timeout=1.0)
async def list_invoices(args: ListInvoices, ctx: ToolContext) -> Invoices:
    """List invoices."""
    raise NotImplementedError


class SearchWeb(BaseModel):
    query: Annotated[str, Field(min_length=1, max_length=200)]


class Page(BaseModel):
    url: str
    text: str


class Pages(BaseModel):
    pages: list[Page]


@tool(effect="read", timeout=1.0, results="web")
async def search_web(args: SearchWeb, ctx: ToolContext) -> Pages:
    """Search the web."""
    raise NotImplementedError


OFFICE: list[AnyTool] = [
    find_customer,
    get_customer,
    read_document,
    draft_invoice,
    issue_invoice,
    list_invoices,
    search_web,
]
