"""aiortc calls POST /offer and gets its media back.

    offer.py URL SETUP      SETUP: what `rtckit serve` was given, so active means it is the DTLS client
"""

import asyncio
import sys
import time

import aiohttp
import av
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

SECONDS = 5


class MovingPicture(VideoStreamTrack):
    """A picture that changes, and counts how often."""

    sent = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(width=320, height=240, format="yuv420p")
        for plane, value in zip(frame.planes, (self.sent * 3 % 256, 100, 180)):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        self.sent += 1
        return frame


async def count(track, counts):
    try:
        while True:
            await track.recv()
            counts[track.kind] += 1
    except Exception:
        pass  # the track has ended


async def call(url):
    connection = RTCPeerConnection()
    picture = MovingPicture()
    connection.addTrack(AudioStreamTrack())
    connection.addTrack(picture)
    counts = {"audio": 0, "video": 0}
    connected = asyncio.Event()
    tasks = []

    @connection.on("track")
    def on_track(track):
        tasks.append(asyncio.ensure_future(count(track, counts)))

    @connection.on("connectionstatechange")
    def on_state():
        if connection.connectionState == "connected":
            connected.set()

    await connection.setLocalDescription(await connection.createOffer())
    async with aiohttp.ClientSession() as session:
        started = time.monotonic()
        headers = {"Content-Type": "application/sdp"}
        async with session.post(url + "offer", data=connection.localDescription.sdp, headers=headers) as response:
            assert response.status == 201, await response.text()
            resource = response.headers["Location"]
            answer = await response.text()
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await asyncio.wait_for(connected.wait(), 10)
        took = time.monotonic() - started
        await asyncio.sleep(SECONDS)
        sent = picture.sent
        async with session.get(url.rstrip("/") + resource + "/stats") as response:
            transport = next(s for s in await response.json() if s["type"] == "transport")
        await connection.close()
        async with session.delete(url.rstrip("/") + resource) as response:
            assert response.status in (200, 404), response.status
        for _ in range(20):
            async with session.get(url + "status") as response:
                peers = (await response.json())["peers"]
            if peers == 0:
                break
            await asyncio.sleep(0.1)
        assert peers == 0, f"{peers} peers are left"
    return counts, sent, took, transport


async def main():
    url, setup = sys.argv[1:]
    name = f"offer, aiortc, --setup {setup}"
    try:
        counts, sent, took, transport = await asyncio.wait_for(call(url), 40)
    except Exception as error:
        print(f"FAIL  {name}: {type(error).__name__}: {error}")
        sys.exit(1)
    told = (
        f"{counts['video']} of {sent} frames, {counts['audio']} of audio, connected in {1000 * took:.0f} ms; "
        f"{transport['dtlsVersion']}, rtckit is the {transport['dtlsRole']}, "
        f"{transport['dtlsCipher']}, {transport['srtpCipher']}"
    )
    role = "server" if setup == "passive" else "client"
    good = (
        sent >= 60
        and counts["video"] >= 0.8 * sent
        and counts["audio"] >= 40 * SECONDS
        and transport["dtlsRole"] == role
    )
    print(f"{'ok  ' if good else 'FAIL'}  {name}: {told}")
    sys.exit(not good)


asyncio.run(main())
