"""An e-mail: who wrote, what they wrote, and what is attached."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, Message, MIMEPart
from itertools import islice

from tools.documents.detect import decode
from tools.documents.errors import DamagedDocument, DocumentTooLarge
from tools.documents.html_text import html_to_text
from tools.documents.limits import MAX_ATTACHMENTS, MAX_BOUNDARIES, MAX_HEADER_CHARACTERS, MAX_HTML_CHARACTERS

_HEADERS = ("From", "To", "Date", "Subject")


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """`text` starts with the headers a reader sees; HTML alone is turned into text."""

    text: str
    attachments: tuple[Attachment, ...]


def read_mail(name: str, data: bytes) -> Mail:
    """The message in `data`, RFC 5322 and MIME.

    Raises:
        DamagedDocument: Its structure cannot be followed.
        DocumentTooLarge: More attachments than are read.
    """
    if data.count(b"\n--") > MAX_BOUNDARIES:
        raise DocumentTooLarge(name, "it has too many parts")
    try:
        message = message_from_bytes(data, policy=policy.default)
        if any(_header_size(part) > MAX_HEADER_CHARACTERS for part in islice(message.walk(), MAX_BOUNDARIES)):
            raise DocumentTooLarge(name, f"it has more than {MAX_HEADER_CHARACTERS:,} characters of headers")
        headers = [f"{header}: {value}" for header in _HEADERS if (value := _header(message, header))]
        attachments = tuple(_attachments(message))
        body = _body(name, message)
    except (MessageError, LookupError, ValueError, AttributeError, IndexError, TypeError, RecursionError) as error:
        # The standard library meets malformed headers and parts with any of these.
        raise DamagedDocument(name, f"it is not a valid e-mail ({type(error).__name__})") from None
    if len(attachments) > MAX_ATTACHMENTS:
        raise DocumentTooLarge(name, f"it has {len(attachments)} attachments; at most {MAX_ATTACHMENTS} are read")
    return Mail("\n".join((*headers, "", body)).strip(), attachments)


def _header_size(part: Message) -> int:
    """Characters of a part's headers as they came: what reads them takes time by the square of it."""
    return sum(len(name) + len(str(value)) for name, value in part.raw_items())


def _header(message: EmailMessage, header: str) -> str:
    value = message.get(header)
    return " ".join(str(value).split()) if value is not None else ""


def _body(name: str, message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    text = _text(part)
    if part.get_content_subtype() == "html" and len(text) > MAX_HTML_CHARACTERS:
        raise DocumentTooLarge(name, f"it has more than {MAX_HTML_CHARACTERS:,} characters of HTML")
    return html_to_text(text) if part.get_content_subtype() == "html" else text


def _text(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset() or ""
    try:
        return payload.decode(charset).replace("\r\n", "\n") if charset else (decode(payload) or "")
    except (LookupError, UnicodeDecodeError):  # an unknown or untrue charset
        return decode(payload) or ""


def _attachments(message: EmailMessage) -> list[Attachment]:
    found: list[Attachment] = []
    for part in message.walk():
        if part.is_multipart() or not (part.is_attachment() or part.get_filename()):
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            number = len(found) + 1
            found.append(Attachment(part.get_filename() or f"attachment-{number}", part.get_content_type(), payload))
    return found
