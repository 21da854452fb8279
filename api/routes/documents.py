"""Files that runs may be given."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Response, UploadFile

from api.documents import store_document
from api.paging import After, Limit, page
from api.principal import ThePrincipal
from api.problems import Problem, documented
from api.resources import Document, Page
from api.state import TheDb, TheSettings

router = APIRouter(prefix="/v1/documents", tags=["documents"], responses=documented(503))

_SHOWN = dict.fromkeys(Document.model_fields, True)  # all but the content


@router.post("", status_code=201, responses=documented(413, 415))
async def upload_document(
    file: Annotated[UploadFile, File(description="PDF, XML (UBL Order), e-mail or plain text.")],
    db: TheDb,
    settings: TheSettings,
    principal: ThePrincipal,
    response: Response,
) -> Document:
    """Take a file in. What it is follows from its content; the name is kept without what makes names unsafe."""
    limit = settings.max_document_bytes
    content = await file.read(limit + 1)
    row = await store_document(db, principal, name=file.filename, content=content, max_bytes=limit)
    response.headers["Location"] = f"/v1/documents/{row.id}"
    return Document.model_validate(row)


@router.get("")
async def list_documents(db: TheDb, principal: ThePrincipal, limit: Limit = 50, after: After = None) -> Page[Document]:
    """The files, the newest first."""
    rows = await db.document.find_many(
        where={"tenant_id": principal.tenant_id},
        order=[{"created_at": "desc"}, {"id": "desc"}],
        take=limit + 1,
        omit={"content": True},
        cursor={"id": after} if after is not None else None,
        skip=1 if after is not None else None,
    )
    return page(Document, rows, limit)


@router.delete("/{document_id}", status_code=204, responses=documented(404))
async def delete_document(document_id: str, db: TheDb, principal: ThePrincipal) -> None:
    """Delete a file. What was read from it stays where it was used."""
    deleted = await db.document.delete_many(where={"id": document_id, "tenant_id": principal.tenant_id})
    if not deleted:
        raise Problem(404, "document_not_found", f"No document {document_id!r}.")
