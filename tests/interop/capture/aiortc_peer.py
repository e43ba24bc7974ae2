"""The descriptions of aiortc.

aiortc_peer.py DIRECTORY             its own offers, and its answers to them
aiortc_peer.py DIRECTORY OFFER...    its answers to the offers of others
"""

import asyncio
import pathlib
import sys

import aiortc
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack


def with_tracks(kinds=("audio", "video")):
    pc = RTCPeerConnection()
    for kind in kinds:
        pc.addTrack({"audio": AudioStreamTrack, "video": VideoStreamTrack}[kind]())
    return pc


def keep(path, pc):
    # as it is: no translation of line ends
    path.write_bytes(pc.localDescription.sdp.encode())


async def negotiate(directory, scenario, caller, callee):
    await caller.setLocalDescription(await caller.createOffer())
    keep(directory / f"aiortc-{scenario}-offer.sdp", caller)
    await callee.setRemoteDescription(caller.localDescription)
    await callee.setLocalDescription(await callee.createAnswer())
    keep(directory / f"aiortc-{scenario}-answer.sdp", callee)
    await caller.setRemoteDescription(callee.localDescription)


async def attempt(name, scenario):
    """Tries a scenario; what a peer cannot do is said, and the rest goes on."""
    try:
        await scenario
    except Exception as error:
        print(f"      {name} is not to be had: {error!r}")


async def own(directory):
    caller, callee = with_tracks(), with_tracks()
    caller.createDataChannel("data")
    await attempt("media", negotiate(directory, "media", caller, callee))
    # it has no ICE restart
    video = next(t for t in caller.getTransceivers() if t.kind == "video")
    video.direction = "inactive"
    await attempt("inactive", negotiate(directory, "inactive", caller, callee))
    # a stopped transceiver goes on in its descriptions: its port is not 0
    video.direction = "sendrecv"
    await video.stop()
    await attempt("stopped", negotiate(directory, "stopped", caller, callee))
    await caller.close()
    await callee.close()


async def answer(directory, offer):
    text = offer.read_bytes().decode()
    # it cannot answer with more tracks than were offered
    pc = with_tracks([kind for kind in ("audio", "video") if f"m={kind} " in text])
    await pc.setRemoteDescription(RTCSessionDescription(sdp=text, type="offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    keep(directory / f"{offer.name.removesuffix('-offer.sdp')}-answer-by-aiortc.sdp", pc)
    await pc.close()


async def main(directory, *offers):
    print(f"aiortc: {aiortc.__version__}")
    directory = pathlib.Path(directory)
    if not offers:
        await own(directory)
    for offer in map(pathlib.Path, offers):
        await attempt(f"the answer to {offer.name}", answer(directory, offer))


asyncio.run(main(*sys.argv[1:]))
