"""Files that runs may be given."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Response, UploadFile

from agent import access
from agent.errors import DocumentNotFound
from api.documents import store_document
from api.paging import After, Limit, is_listed, page
from api.principal import ThePrincipal
from api.problems import documented
from api.resources import Document, Page
from api.state import TheDb, TheSettings

router = APIRouter(prefix="/v1/documents", tags=["documents"], responses=documented(503))

_SHOWN = dict.fromkeys(Document.model_fields, True)  # all but the content


@router.post("", status_code=201, responses=documented(403, 415))
async def upload_document(
    *,
    file: Annotated[UploadFile, File(description="PDF, XML (UBL Order), e-mail or plain text.")],
    db: TheDb,
    settings: TheSettings,
    principal: ThePrincipal,
    response: Response,
    shared: Annotated[
        bool, Form(description="Everybody in the company may read and attach it; by admins only.")
    ] = False,
) -> Document:
    """Take a file in. What it is follows from its content; the name is kept without what makes names unsafe."""
    if shared:
        access.check_share(principal)
    limit = settings.max_document_bytes
    content = await file.read(limit + 1)
    row = await store_document(db, principal, name=file.filename, content=content, max_bytes=limit, shared=shared)
    response.headers["Location"] = f"/v1/documents/{row.id}"
    return Document.model_validate(row)


@router.get("")
async def list_documents(db: TheDb, principal: ThePrincipal, limit: Limit = 50, after: After = None) -> Page[Document]:
    """The caller's files and those that are shared, the company's for an admin, the newest first."""
    if not await is_listed(db.document.count, access.documents(principal), after):
        return Page(data=[])
    rows = await db.document.find_many(
        where=access.documents(principal),
        order=[{"created_at": "desc"}, {"id": "desc"}],
        take=limit + 1,
        omit={"content": True},
        cursor={"id": after} if after is not None else None,
        skip=1 if after is not None else None,
    )
    return page(Document, rows, limit)


@router.delete("/{document_id}", status_code=204, responses=documented(403, 404))
async def delete_document(document_id: str, db: TheDb, principal: ThePrincipal) -> None:
    """Delete a file. What was read from it stays where it was used."""
    row = await db.document.find_first(where={**access.documents(principal), "id": document_id}, omit={"content": True})
    if row is None:
        raise DocumentNotFound(document_id)
    access.check_change(principal, row.user_id, what="document")
    if not await db.document.delete_many(where={"id": document_id}):
        raise DocumentNotFound(document_id)
