"""Small files for the demo's attachments, made rather than shipped: a PNG, a PDF, a calendar entry, a table."""

import struct
import zlib

from crockery.message.compose import Attachment

_PALETTE = ((247, 243, 233), (52, 101, 164), (204, 102, 51), (115, 140, 60))


def plate_png(size: int = 96) -> bytes:
    """A painted plate, as an RGB PNG."""
    middle = (size - 1) / 2
    rows = bytearray()
    for y in range(size):
        rows.append(0)
        for x in range(size):
            distance = ((x - middle) ** 2 + (y - middle) ** 2) ** 0.5 / middle
            ring = 0 if distance > 1 else 1 if distance > 0.9 else 2 if 0.6 < distance < 0.68 else 3 * (distance < 0.2)
            rows += bytes(_PALETTE[ring])
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def invoice_pdf(title: str, lines: list[str]) -> bytes:
    """One page of text, as a PDF."""
    text = [b"BT /F1 20 Tf 60 760 Td (%b) Tj /F1 11 Tf 0 -40 Td 16 TL" % _pdf_text(title)]
    text += [b"(%b) Tj T*" % _pdf_text(line) for line in lines]
    content = b"\n".join([*text, b"ET"])
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def _pdf_text(text: str) -> bytes:
    return text.encode("latin-1", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


_CALENDAR = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//example.test//demo//EN\r
BEGIN:VEVENT\r
UID:kiln-opening@example.test\r
DTSTAMP:20260101T090000Z\r
DTSTART;VALUE=DATE:20260612\r
SUMMARY:Kiln opening\r
LOCATION:Old pottery, back yard\r
END:VEVENT\r
END:VCALENDAR\r
"""

_GLAZES = "glaze,silica %,firing °C\nCeladon,68,1260\nTenmoku,62,1280\nShino,55,1240\n".encode()


def attachments() -> dict[str, Attachment]:
    """All files by name."""
    invoice = invoice_pdf("Invoice 2041", ["40 kg stoneware clay, grey", "2 kg kaolin", "", "Total: 83.60"])
    files = (
        Attachment("plate.png", "image/png", plate_png()),
        Attachment("青い皿.png", "image/png", plate_png(64)),
        Attachment("invoice-2041.pdf", "application/pdf", invoice),
        Attachment("kiln-opening.ics", "text/calendar", _CALENDAR),
        Attachment("glazes.csv", "text/csv", _GLAZES),
    )
    return {file.filename: file for file in files}
