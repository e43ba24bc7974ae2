"""aiortc answers POST /offer and plays what it gets back: decoded and encoded anew.

    answer.py PORT
"""

import asyncio
import sys
import uuid

from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

calls = {}


async def offer(request):
    connection = RTCPeerConnection()
    relay = MediaRelay()

    @connection.on("track")
    def on_track(track):
        connection.addTrack(relay.subscribe(track))

    await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    name = uuid.uuid4().hex
    calls[name] = connection
    headers = {"Location": f"/offer/{name}"}
    return web.Response(
        status=201, text=connection.localDescription.sdp, content_type="application/sdp", headers=headers
    )


async def delete(request):
    connection = calls.pop(request.match_info["name"], None)
    if connection is None:
        return web.Response(status=404)
    await connection.close()
    return web.Response()


async def main():
    app = web.Application()
    app.router.add_post("/offer", offer)
    app.router.add_delete("/offer/{name}", delete)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    print("listening", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
