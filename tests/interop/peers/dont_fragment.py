"""A TURN client that sends 1400 bytes to a peer behind a path of 1280, with DONT-FRAGMENT and without.

Prints "ok" when the peer has what may be fragmented, and the client is told (ICMP) of what may not.
"""

import hashlib
import hmac
import os
import socket
import struct

SERVER, PEER = ("127.0.0.1", 3478), ("127.0.0.1", 4000)
COOKIE = 0x2112A442
ALLOCATE, CREATE_PERMISSION, SEND, DATA = 0x003, 0x008, 0x016, 0x017
USERNAME, MESSAGE_INTEGRITY, REALM, NONCE = 0x06, 0x08, 0x14, 0x15
PEER_ADDRESS, PAYLOAD, TRANSPORT, DONT_FRAGMENT, ICMP = 0x12, 0x13, 0x19, 0x1A, 0x8004


def attribute(kind, value=b""):
    return struct.pack(">HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def address(ip, port):
    number = struct.unpack(">I", socket.inet_aton(ip))[0]
    return struct.pack(">BBHI", 0, 1, port ^ COOKIE >> 16, number ^ COOKIE)


def write(kind, body, key=None):
    identity = os.urandom(12)

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
    return struct.unpack_from(">H", message)[0], found


client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(5)
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind(PEER)
peer.settimeout(5)


def ask(kind, body, key=None):
    client.sendto(write(kind, body, key), SERVER)
    return read(client.recv(4000))


wish = attribute(TRANSPORT, b"\x11\0\0\0")
_, challenge = ask(ALLOCATE, wish)
credentials = attribute(USERNAME, b"u")
credentials += attribute(REALM, challenge[REALM]) + attribute(NONCE, challenge[NONCE])
key = hashlib.md5(b"u:" + challenge[REALM] + b":p").digest()
kind, _ = ask(ALLOCATE, wish + attribute(DONT_FRAGMENT) + credentials, key)
assert kind == ALLOCATE | 0x100, f"DONT-FRAGMENT is refused: {kind:#x}"
to_peer = attribute(PEER_ADDRESS, address(*PEER))
kind, _ = ask(CREATE_PERMISSION, to_peer + credentials, key)
assert kind == CREATE_PERMISSION | 0x100, f"no permission: {kind:#x}"


def send(payload, *more):
    client.sendto(write(SEND, to_peer + b"".join(more) + attribute(PAYLOAD, payload)), SERVER)


send(b"1" * 1400)
assert peer.recv(4000) == b"1" * 1400
send(b"2" * 1400, attribute(DONT_FRAGMENT))
kind, told = read(client.recv(4000))
assert kind == DATA, f"no indication: {kind:#x}"
# of what its own host refuses to send the server does not know the port, and RFC 8656 takes 0 for that
assert told[PEER_ADDRESS] == address(PEER[0], 0)
assert told[ICMP] == struct.pack(">HBBI", 0, 3, 4, 1280), told[ICMP].hex()
send(b"3" * 1400)
assert peer.recv(4000) == b"3" * 1400, "what may not be fragmented was"
print("ok: fragmented where it may be, ICMP 3/4 with the MTU of 1280 where not")
