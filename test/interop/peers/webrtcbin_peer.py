"""GStreamer's webrtcbin as a display or as a camera: the same commands as aiortc_peer.py."""

import json
import re
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

Gst.init(None)
H264 = "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload={},packetization-mode=(string)1"
OPUS = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload={},encoding-params=(string)2"


def wait(ask):
    """The reply of an element's signal that takes a promise."""
    promise = Gst.Promise.new()
    ask(promise)
    promise.wait()
    reply = promise.get_reply()
    if reply is not None and reply.has_field("error"):
        raise RuntimeError(reply.get_value("error"))
    return reply


class Peer:
    def __init__(self):
        self.pipe = Gst.Pipeline.new("peer")
        self.rtc = Gst.ElementFactory.make("webrtcbin", "rtc")
        self.rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipe.add(self.rtc)
        self.ssrc = 2000
        self.counts = {"pictures": 0, "sounds": 0}
        self.gathered = threading.Event()
        self.rtc.connect("pad-added", self.on_pad)
        self.rtc.connect("notify::ice-gathering-state", self.on_gathering)

    def on_gathering(self, rtc, _):
        if rtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self.gathered.set()

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        is_video = pad.get_current_caps().get_structure(0).get_string("media") == "video"
        way = "rtph264depay ! h264parse ! video/x-h264,alignment=au" if is_video else "rtpopusdepay"
        sink = Gst.parse_bin_from_description(f"queue ! {way} ! fakesink name=end sync=false signal-handoffs=true", True)
        name = "pictures" if is_video else "sounds"
        sink.get_by_name("end").connect("handoff", lambda *_: self.counts.update({name: self.counts[name] + 1}))
        self.pipe.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def source(self, description, caps):
        # What an encoder says beyond these must not count: its sprop-… are its own.
        self.ssrc += 1
        own = f'{caps},ssrc=(uint){self.ssrc}'
        made = Gst.parse_bin_from_description(
            f'{description} ssrc={self.ssrc} ! capssetter replace=true caps="{own}"', True
        )
        self.pipe.add(made)
        pad = self.rtc.request_pad_simple("sink_%u")
        pad.get_property("transceiver").set_property("codec-preferences", Gst.Caps.from_string(caps))
        made.get_static_pad("src").link(pad)
        made.sync_state_with_parent()

    def sound(self, payload):
        self.source(f"audiotestsrc is-live=true ! opusenc ! rtpopuspay pt={payload}", OPUS.format(payload))

    def local(self, description):
        wait(lambda promise: self.rtc.emit("set-local-description", description, promise))
        if not self.gathered.wait(5):
            raise RuntimeError("gathering did not end in 5 s")
        return {"sdp": self.rtc.get_property("local-description").sdp.as_text()}

    def remote(self, kind, sdp):
        _, message = GstSdp.SDPMessage.new_from_text(sdp)
        description = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        wait(lambda promise: self.rtc.emit("set-remote-description", description, promise))

    def offer(self):
        self.pipe.set_state(Gst.State.PLAYING)
        self.sound(111)
        video = Gst.Caps.from_string(H264.format(96) + ",profile-level-id=(string)42e01f")
        self.rtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, video)
        made = wait(lambda promise: self.rtc.emit("create-offer", None, promise))
        return self.local(made.get_value("offer"))

    def accept(self, sdp):
        self.remote(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        return {}

    def answer(self, sdp):
        self.pipe.set_state(Gst.State.PLAYING)
        for section in sdp.split("\nm=")[1:]:
            kind = section.split(" ")[0]
            codec = "H264" if kind == "video" else "opus"
            payload = re.search(rf"a=rtpmap:(\d+) {codec}/", section)
            if payload is None:
                continue
            if kind == "video":
                self.source(
                    "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=15/1 ! "
                    "x264enc tune=zerolatency key-int-max=15 speed-preset=ultrafast ! "
                    f"video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 pt={payload[1]}",
                    H264.format(payload[1]),
                )
            else:
                self.sound(payload[1])
        self.remote(GstWebRTC.WebRTCSDPType.OFFER, sdp)
        made = wait(lambda promise: self.rtc.emit("create-answer", None, promise))
        return self.local(made.get_value("answer"))

    def seen(self):
        state = self.rtc.get_property("connection-state")
        return {"connected": state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED, **self.counts}

    def version(self):
        return {"version": Gst.version_string().split(" ")[1]}

    def close(self):
        self.pipe.set_state(Gst.State.NULL)
        return {}


threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
peer = Peer()
for line in sys.stdin:
    command = json.loads(line)
    action = getattr(peer, command["do"])
    try:
        reply = action(command["sdp"]) if "sdp" in command else action()
    except Exception as error:  # the harness prints it
        reply = {"error": repr(error)}
    print(json.dumps(reply), flush=True)
    if command["do"] == "close":
        break
