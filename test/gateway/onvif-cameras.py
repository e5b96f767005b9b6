"""Real RTSP cameras for the tests, GStreamer's: each with a picture, sound and a loudspeaker of its own, by ONVIF's back channel.

usage: onvif-cameras.py HOST CAMERAS
CAMERAS is JSON, a list of {"path", "media", "speaker"}: `media` are the elements that end in payloaders pay0, pay1; `speaker`,
which may be left out, is the file to which the sound of the back channel is written, decoded (16 bit at 8 kHz).
Prints its port when it listens.
"""
import json
import re
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, GObject, Gst, GstRtspServer

Gst.init(None)
server = GstRtspServer.RTSPOnvifServer()
server.set_address(sys.argv[1])
server.set_service("0")

for camera in json.loads(sys.argv[2]):
    factory = GstRtspServer.RTSPOnvifMediaFactory()
    # Who sets up the loudspeaker alone leaves picture and sound without a reader, which would end the camera for them.
    factory.set_launch("( %s )" % re.sub(r"! (rtp\w+pay) ", r"! errorignore ignore-notlinked=true convert-to=ok ! \1 ", camera["media"]))
    # One for all who look, as a camera has one lens.
    factory.set_shared(not camera.get("speaker"))
    factory.set_media_gtype(GstRtspServer.RTSPOnvifMedia.__gtype__)
    if camera.get("speaker"):
        factory.set_backchannel_launch(
            '( capsfilter caps="application/x-rtp, media=audio, payload=0, clock-rate=8000, encoding-name=PCMU" name=depay_backchannel'
            ' ! rtppcmudepay ! mulawdec ! filesink location=%s append=true buffer-mode=unbuffered async=false sync=false )' % camera["speaker"]
        )
    server.get_mount_points().add_factory(camera["path"], factory)

server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
