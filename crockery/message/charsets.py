"""Bytes to text, whatever their label says. Never raises, and asks Python only for codecs of the table below.

Order: the declared charset; UTF-8 if the bytes are valid in it; what charset-normalizer says of the first 4 KiB;
windows-1252. The table is closed on purpose: a label comes from a stranger, and Python's registry also holds codecs
that unpack, escape or take quadratic time, and remembers every name it was ever asked for.
"""

import re
from encodings.aliases import aliases
from functools import lru_cache
from typing import Final

from charset_normalizer import from_bytes

from crockery.limits import CHARSET_SAMPLE

_CODEC_NAMES: Final = """
    ascii big5 big5hkscs cp037 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858 cp860 cp861
    cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp932 cp949 cp950 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256
    cp1257 cp1258 euc_jp euc_jis_2004 euc_kr gb2312 gbk gb18030 hz iso2022_jp iso2022_jp_1 iso2022_jp_2
    iso2022_jp_3 iso2022_jp_ext iso2022_kr iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8
    iso8859_9 iso8859_10 iso8859_11 iso8859_13 iso8859_14 iso8859_15 iso8859_16 johab koi8_r koi8_t koi8_u
    kz1048 latin_1 mac_cyrillic mac_greek mac_iceland mac_latin2 mac_roman mac_turkish ptcp154 shift_jis
    shift_jis_2004 shift_jisx0213 tis_620 utf_7 utf_8 utf_16 utf_16_be utf_16_le utf_32 utf_32_be utf_32_le
"""
_CODECS: Final = frozenset(_CODEC_NAMES.split())
# Labels seen in mail that Python does not know, and narrow charsets that senders use for their supersets.
_LABELS: Final = {
    "ascii": "ascii", "us_ascii": "ascii", "unknown": "utf_8", "unknown_8bit": "utf_8", "x_unknown": "utf_8",
    "default": "utf_8", "8bit": "utf_8", "binary": "utf_8", "unicode": "utf_8", "unicode_1_1_utf_8": "utf_8",
    "utf_8_sig": "utf_8", "cp65001": "utf_8", "unicode_1_1_utf_7": "utf_7", "iso8859_1": "cp1252",
    "iso_8859_1": "cp1252", "latin_1": "cp1252", "latin1": "cp1252", "ansi": "cp1252", "x_ansi": "cp1252",
    "iso_8859_8_i": "iso8859_8", "iso_8859_8_e": "iso8859_8", "iso_8859_6_i": "iso8859_6", "iso_8859_9": "cp1254",
    "iso8859_9": "cp1254", "iso_8859_11": "cp874", "tis_620": "cp874", "windows_874": "cp874", "dos_874": "cp874",
    "gb2312": "gb18030", "gb_2312": "gb18030", "gb_2312_80": "gb18030", "csgb2312": "gb18030", "gbk": "gb18030",
    "x_gbk": "gb18030", "cp936": "gb18030", "windows_936": "gb18030", "euc_cn": "gb18030", "x_euc_cn": "gb18030",
    "hz_gb_2312": "hz", "big5": "big5hkscs", "x_big5": "big5hkscs", "x_x_big5": "big5hkscs", "cn_big5": "big5hkscs",
    "ks_c_5601_1987": "cp949", "ks_c_5601": "cp949", "ksc_5601": "cp949", "euc_kr": "cp949", "x_euc_kr": "cp949",
    "windows_949": "cp949", "shift_jis": "cp932", "x_sjis": "cp932", "sjis": "cp932", "ms_kanji": "cp932",
    "windows_31j": "cp932", "x_euc_jp": "euc_jp", "iso_2022_jp": "iso2022_jp_ext", "cp_1251": "cp1251",
    "cp_1252": "cp1252", "cp_850": "cp850", "koi8": "koi8_r", "koi": "koi8_r", "x_mac_roman": "mac_roman",
    "macintosh": "mac_roman", "x_mac_cyrillic": "mac_cyrillic", "x_mac_greek": "mac_greek",
    "x_mac_turkish": "mac_turkish", "x_mac_ce": "mac_latin2",
}  # fmt: skip
_SHORTEST_GUESS: Final = 32  # octets; of fewer the detector makes Chinese out of a German word
_SEPARATORS: Final = re.compile(r"[^a-z0-9]+")


def find_codec(label: str) -> str | None:
    """Python's name of the codec for a MIME charset label, or None if we do not know it."""
    key = _SEPARATORS.sub("_", label[:64].lower()).strip("_")
    codec = _LABELS.get(key) or aliases.get(key, key)
    codec = _LABELS.get(codec, codec)
    return codec if codec in _CODECS else None


def decode_charset(data: bytes, label: str | None) -> str:
    """The text of `data`, declared to be in charset `label`; undecodable octets become U+FFFD."""
    if data.isascii() and (label is None or not _is_shifting(label)):
        return data.decode("ascii")
    codec = find_codec(label) if label else None
    if codec is not None and codec not in ("ascii", "utf_8"):
        try:
            return data.decode(codec)
        except UnicodeError:
            if codec != "cp1252":  # most of it is what it says
                return data.decode(codec, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if codec == "utf_8":
            return data.decode("utf-8", "replace")
        return data.decode("cp1252" if codec == "cp1252" else guess_codec(data[:CHARSET_SAMPLE]), "replace")


@lru_cache(maxsize=1024)
def guess_codec(data: bytes) -> str:
    """The likeliest codec of 8-bit data without a label that is not UTF-8; only its first CHARSET_SAMPLE octets count.

    Guessing takes milliseconds, and who searches a mailbox searches it again: so guesses are remembered.
    """
    if len(data) < _SHORTEST_GUESS:
        return "cp1252"
    best = from_bytes(data[:CHARSET_SAMPLE]).best()
    codec = None if best is None else find_codec(best.encoding)
    return "cp1252" if codec in (None, "ascii", "utf_8") else str(codec)


def _is_shifting(label: str) -> bool:
    """Whether ASCII octets can mean other characters in this charset (ISO 2022, HZ, UTF-7, UTF-16, EBCDIC)."""
    codec = find_codec(label)
    return codec is not None and codec.startswith(("iso2022", "hz", "utf_7", "utf_16", "utf_32", "cp037", "cp500"))
