"""A real RTSP server (GStreamer's) for the tests: /door is a camera's H.264 with G.711 sound, /jpeg a camera without H.264.

usage: rtsp-server.py MOVIE.mp4 [USER PASSWORD]; prints its port when it listens.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")


def mount(path, pipeline):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch("( %s )" % pipeline)
    if len(sys.argv) > 3:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role("user")
        for right in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("user", right, True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory(path, factory)


mount(
    "/door",
    "filesrc location=%s ! qtdemux ! video/x-h264 ! rtph264pay name=pay0 pt=96 "
    "audiotestsrc is-live=true volume=0.5 ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay1" % sys.argv[1],
)
mount("/jpeg", "videotestsrc ! video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! jpegenc ! rtpjpegpay name=pay0 pt=26")

if len(sys.argv) > 3:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(sys.argv[2], sys.argv[3]), token)
    server.set_auth(auth)

server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
