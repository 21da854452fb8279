"""PDF files for tests: drawn by reportlab, encrypted and broken by hand."""

from __future__ import annotations

import io
import zlib

from pypdf import PdfReader, PdfWriter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas


def pdf(*pages: str) -> bytes:
    """A PDF with one text line a page."""
    file = io.BytesIO()
    canvas = Canvas(file)
    for text in pages:
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def scanned_pdf() -> bytes:
    """A page that is a picture."""
    file, picture = io.BytesIO(), io.BytesIO()
    picture.write(b"P6 64 64 255\n" + b"\xc8" * (64 * 64 * 3))
    picture.seek(0)
    canvas = Canvas(file)
    canvas.drawImage(ImageReader(picture), 0, 0, 600, 800)  # pyright: ignore[reportUnknownMemberType] untyped
    canvas.save()
    return file.getvalue()


def encrypted_pdf(text: str, *, user_password: str) -> bytes:
    """With an empty user password anyone may read it, as many senders' PDFs are."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(text))))
    writer.encrypt(user_password=user_password, owner_password="owner", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def pdf_with_stream(content: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    """One page whose content stream is `content` as it stands."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << >> >>",
        b"<< /Length %d /Filter %s >>\nstream\n%s\nendstream" % (len(content), filters, content),
    ]
    out = bytearray(b"%PDF-1.5\n")
    offsets: list[int] = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def decompression_bomb(mebibytes: int) -> bytes:
    """A page of a few kilobytes that unpacks to this many mebibytes, packed twice."""
    packer = zlib.compressobj(9)
    once = b"".join(packer.compress(b" " * 1024 * 1024) for _ in range(mebibytes)) + packer.flush()
    return pdf_with_stream(zlib.compress(once, 9), b"[/FlateDecode /FlateDecode]")
