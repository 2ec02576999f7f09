"""--resolver and /etc/resolv.conf."""

from pathlib import Path

import pytest

from crockery.net.resolver import Server, parse_server, system_servers


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", Server("192.0.2.1")),
        ("192.0.2.1:5353", Server("192.0.2.1", 5353)),
        ("127.0.0.53", Server("127.0.0.53", 53, True)),
        ("::1", Server("::1", 53, True)),
        ("2001:db8::1", Server("2001:db8::1")),
        ("[2001:db8::1]:54", Server("2001:db8::1", 54)),
        ("[::1]", Server("::1", 53, True)),
    ],
)
def test_servers(text: str, server: Server) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize(
    "text", ["", "localhost", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:0", "192.0.2.1:65536", "[::1]:", "1.2.3", "::1:"]
)
def test_what_is_no_server(text: str) -> None:
    with pytest.raises(ValueError):
        parse_server(text)


def test_the_system_says(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    assert system_servers(file) == [Server("127.0.0.1", 53, True)]
    file.write_text("# x\n\nsearch a b\nnameserver\nnameserver x\nnameserver 192.0.2.1\nnameserver ::1\n")
    assert system_servers(file) == [Server("192.0.2.1"), Server("::1", 53, True)]
    file.write_text("nameserver 192.0.2.1\noptions edns0 trust-ad\n" + "nameserver 192.0.2.2\n" * 9)
    assert system_servers(file) == [Server("192.0.2.1", 53, True)] + [Server("192.0.2.2", 53, True)] * 2
