"""The descriptions of GStreamer's webrtcbin.

gstreamer.py --version
gstreamer.py DIRECTORY             its own offers, and its answers to them
gstreamer.py DIRECTORY OFFER...    its answers to the offers of others
"""

import pathlib
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

Gst.init(None)
if not Gst.ElementFactory.find("webrtcbin") or not Gst.ElementFactory.find("nicesrc"):
    sys.exit("there is no webrtcbin, or no libnice for it")
print(f"gstreamer: {Gst.version_string()}")

SOURCES = """
 videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! vp8enc deadline=1 ! rtpvp8pay
   ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! {0}.
 audiotestsrc is-live=true ! audioconvert ! opusenc ! rtpopuspay
   ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! {0}."""

# promises and their replies: descriptions point into them, and may not outlive them
kept = []


def wait(until, seconds=5):
    """Runs the main loop until something is so, or the time is over."""
    context = GLib.MainContext.default()
    deadline = GLib.get_monotonic_time() + seconds * 1_000_000
    while not until() and GLib.get_monotonic_time() < deadline:
        context.iteration(False)
        GLib.usleep(2000)


def ask(element, signal, *arguments):
    """Emits an action, and waits for what is promised."""
    promise = Gst.Promise.new()
    element.emit(signal, *arguments, promise)
    promise.wait()
    reply = promise.get_reply()
    kept.append((promise, reply))
    if reply and reply.has_field("error"):
        raise RuntimeError(reply.get_value("error").message)
    return reply


class Peer:
    """A webrtcbin with a picture and a tone to send."""

    def __init__(self, data=False, sources=SOURCES):
        self.pipeline = Gst.parse_launch("webrtcbin name=peer bundle-policy=max-bundle " + sources.format("peer"))
        self.bin = self.pipeline.get_by_name("peer")
        self.pipeline.set_state(Gst.State.READY)
        self.channel = self.bin.emit("create-data-channel", "data", None) if data else None
        self.pipeline.set_state(Gst.State.PLAYING)
        # until every stream has its caps
        wait(lambda: False, 1)

    def describe(self, kind):
        reply = ask(self.bin, f"create-{kind}", None)
        description = reply.get_value(kind)
        ask(self.bin, "set-local-description", description)
        gathered = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        wait(lambda: self.bin.get_property("ice-gathering-state") == gathered)
        return self.bin.get_property("local-description").sdp.as_text()

    def heed(self, kind, text):
        _, message = GstSdp.SDPMessage.new_from_text(text)
        types = {"offer": GstWebRTC.WebRTCSDPType.OFFER, "answer": GstWebRTC.WebRTCSDPType.ANSWER}
        description = GstWebRTC.WebRTCSessionDescription.new(types[kind], message)
        kept.append(description)
        ask(self.bin, "set-remote-description", description)

    def close(self):
        self.pipeline.set_state(Gst.State.NULL)


def keep(directory, name, text):
    (directory / name).write_bytes(text.encode())


def negotiate(directory, scenario, caller, callee):
    offer = caller.describe("offer")
    keep(directory, f"gstreamer-{scenario}-offer.sdp", offer)
    callee.heed("offer", offer)
    answer = callee.describe("answer")
    keep(directory, f"gstreamer-{scenario}-answer.sdp", answer)
    caller.heed("answer", answer)


def attempt(name, scenario):
    """Tries a scenario; what a peer cannot do is said, and the rest goes on."""
    try:
        scenario()
    except Exception as error:
        print(f"      {name} is not to be had: {error}")


def main(directory, *offers):
    directory = pathlib.Path(directory)
    if not offers:
        caller, callee = Peer(data=True), Peer()
        attempt("media", lambda: negotiate(directory, "media", caller, callee))
        # it has no ICE restart, and no transceiver that can be stopped
        video = caller.bin.emit("get-transceiver", 0)
        video.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.INACTIVE)
        attempt("inactive", lambda: negotiate(directory, "inactive", caller, callee))
        caller.close()
        callee.close()
    for offer in map(pathlib.Path, offers):
        name = f"{offer.name.removesuffix('-offer.sdp')}-answer-by-gstreamer.sdp"

        def answer():
            peer = Peer()
            peer.heed("offer", offer.read_bytes().decode())
            keep(directory, name, peer.describe("answer"))
            peer.close()

        attempt(name, answer)


if sys.argv[1] != "--version":
    main(*sys.argv[1:])
