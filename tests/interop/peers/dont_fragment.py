"""A TURN client that sends 1400 bytes to a peer behind a path of 1280, with DONT-FRAGMENT and without, by IPv4 and IPv6.

Prints "ok" when the peer has what may be fragmented, the client what comes back, and the client is told (ICMP) of what
may not be fragmented.
"""

import hashlib
import hmac
import os
import socket
import struct

COOKIE = 0x2112A442
ALLOCATE, CREATE_PERMISSION, SEND, DATA = 0x003, 0x008, 0x016, 0x017
USERNAME, MESSAGE_INTEGRITY, REALM, NONCE = 0x06, 0x08, 0x14, 0x15
PEER_ADDRESS, PAYLOAD, TRANSPORT, DONT_FRAGMENT, ICMP = 0x12, 0x13, 0x19, 0x1A, 0x8004
RELAYED_ADDRESS, FAMILY = 0x16, 0x17


def attribute(kind, value=b""):
    return struct.pack(">HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def mask(identity):
    return struct.pack(">I", COOKIE) + identity


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def address(family, ip, port, identity):
    number = xor(socket.inet_pton(family, ip), mask(identity))
    return struct.pack(">BBH", 0, 1 if len(number) == 4 else 2, port ^ COOKIE >> 16) + number


def unmask(value, identity):
    (port,) = struct.unpack_from(">H", value, 2)
    family = socket.AF_INET if len(value) == 8 else socket.AF_INET6
    return socket.inet_ntop(family, xor(value[4:], mask(identity))), port ^ COOKIE >> 16


def write(kind, body, key=None, identity=None):
    identity = identity or os.urandom(12)

    def header(length):
        return struct.pack(">HHI", kind, length, COOKIE) + identity

    if key:
        signed = header(len(body) + 24) + body
        body += attribute(MESSAGE_INTEGRITY, hmac.new(key, signed, hashlib.sha1).digest())
    return header(len(body)) + body


def read(message):
    found, place = {}, 20
    while place < len(message):
        kind, length = struct.unpack_from(">HH", message, place)
        found[kind] = message[place + 4 : place + 4 + length]
        place += 4 + length + -length % 4
    return struct.unpack_from(">H", message)[0], found, message[8:20]


def relay(family, host, too_long):
    server = (host, 3478)
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.settimeout(5)
    peer = socket.socket(family, socket.SOCK_DGRAM)
    peer.bind((host, 4000))
    peer.settimeout(5)

    def ask(kind, body, key=None, identity=None):
        client.sendto(write(kind, body, key, identity), server)
        return read(client.recv(4000))

    wish = attribute(TRANSPORT, b"\x11\0\0\0")
    if family == socket.AF_INET6:
        wish += attribute(FAMILY, b"\x02\0\0\0")
    _, challenge, _ = ask(ALLOCATE, wish)
    credentials = attribute(USERNAME, b"u")
    credentials += attribute(REALM, challenge[REALM]) + attribute(NONCE, challenge[NONCE])
    key = hashlib.md5(b"u:" + challenge[REALM] + b":p").digest()
    kind, allocated, identity = ask(ALLOCATE, wish + attribute(DONT_FRAGMENT) + credentials, key)
    assert kind == ALLOCATE | 0x100, f"DONT-FRAGMENT is refused: {kind:#x}"
    relayed = unmask(allocated[RELAYED_ADDRESS], identity)
    # one request, and indications, of which nobody keeps the identities
    identity = os.urandom(12)
    to_peer = attribute(PEER_ADDRESS, address(family, host, 4000, identity))
    kind, *_ = ask(CREATE_PERMISSION, to_peer + credentials, key, identity)
    assert kind == CREATE_PERMISSION | 0x100, f"no permission: {kind:#x}"

    def send(payload, *more):
        body = to_peer + b"".join(more) + attribute(PAYLOAD, payload)
        client.sendto(write(SEND, body, identity=identity), server)

    send(b"1" * 1400)
    assert peer.recv(4000) == b"1" * 1400
    send(b"2" * 1400, attribute(DONT_FRAGMENT))
    kind, told, identity_of_told = read(client.recv(4000))
    assert kind == DATA, f"no indication: {kind:#x}"
    # of what its own host refuses to send by IPv4 the server does not know the port, and RFC 8656 takes 0 for that
    port = 0 if family == socket.AF_INET else 4000
    assert unmask(told[PEER_ADDRESS], identity_of_told) == (host, port)
    assert told[ICMP] == struct.pack(">HBBI", 0, *too_long, 1280), told[ICMP].hex()
    send(b"3" * 1400)
    assert peer.recv(4000) == b"3" * 1400, "what may not be fragmented was"
    peer.sendto(b"4" * 2000, relayed)
    kind, back, _ = read(client.recv(4000))
    assert (kind, back.get(PAYLOAD)) == (DATA, b"4" * 2000), "what comes back is not fragmented"


relay(socket.AF_INET, "127.0.0.1", (3, 4))
relay(socket.AF_INET6, "::1", (2, 0))
print("ok: fragmented where it may be, ICMP 3/4 and 2/0 with the MTU of 1280 where not")
