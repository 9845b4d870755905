"""Where no request may go, by address and by spelling: for the guard, and for whoever uses it."""

import socket

ADDRESSES = (
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "3fff::1",
    "2002:7f00:1::",
)
"""Of networks that are not public: a name may have one, and may have it a moment later."""

MORE_ADDRESSES = (
    "0.1.2.3",
    "100.100.100.200",
    "100.127.255.254",
    "127.255.255.254",
    "169.254.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "239.255.255.250",
    "240.0.0.1",
    "254.255.255.255",
    "::",
    "::127.0.0.1",
    "::a9fe:a9fe",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "64:ff9b:1::a9fe:a9fe",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:db8::1",
    "2001:10::1",
    "2002:a00:1::",
    "2002:a9fe:a9fe::",
    "5f00::1",
    "fdff::1",
    "fe80::5efe:7f00:1",
    "febf::1",
    "ff02::1",
    "ff0e::1",
)
"""More of the special registries of IANA, and addresses that hold another: mapped, NAT64, 6to4, Teredo."""

URLS = (
    "http://mastodon.example/",
    "http://mastodon.example:443/",
    "https://mastodon.example:8443/",
    "https://user:word@mastodon.example/",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
    "https://2130706433/",
    "https://127.0.0.1/",
    "file:///etc/passwd",
)
"""Not https, not port 443, credentials, or no name. They are refused without a look at the network."""

SPELLINGS = (
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://0/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::]/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://①②⑦.0.0.1/",
)
"""Of addresses that are not public, as resolvers take them."""


def found(address: str) -> list[tuple[object, ...]]:
    """What `getaddrinfo` answers for a name with one address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return [(family, socket.SOCK_STREAM, 6, "", (address, 443, 0, 0) if ":" in address else (address, 443))]
