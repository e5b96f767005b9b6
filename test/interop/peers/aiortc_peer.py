"""aiortc as a display or as a camera: one JSON command a line on standard input, one JSON reply a line on standard output."""

import asyncio
import fractions
import json
import os
import sys

import aiortc
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack


class Picture(VideoStreamTrack):
    """Pictures of changing grey."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(640, 360, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([pts // 3000 % 200 + 20]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Peer:
    def __init__(self):
        servers = [RTCIceServer(**server) for server in json.loads(os.environ.get("ICE_SERVERS", "[]"))]
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self.seen = {"connected": False, "pictures": 0, "sounds": 0}
        self.tasks = []
        self.pc.on("track", self.on_track)
        self.pc.on("connectionstatechange", self.on_state)

    def on_state(self):
        if self.pc.connectionState == "connected":
            self.seen["connected"] = True

    def on_track(self, track: MediaStreamTrack):
        self.tasks.append(asyncio.ensure_future(self.count(track)))

    async def count(self, track):
        name = "pictures" if track.kind == "video" else "sounds"
        try:
            while True:
                await track.recv()
                self.seen[name] += 1
        except aiortc.mediastreams.MediaStreamError:
            pass

    async def offer(self, password=None):
        self.pc.addTransceiver(AudioStreamTrack(), direction="sendrecv")
        self.pc.addTransceiver("video", direction="recvonly")
        if password is not None:
            for transceiver in self.pc.getTransceivers():
                transceiver.sender.transport.transport.iceGatherer._connection._local_password = password
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return {"sdp": self.pc.localDescription.sdp}

    async def accept(self, sdp):
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        return {}

    async def answer(self, sdp):
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in self.pc.getTransceivers():
            track = Picture() if transceiver.kind == "video" else AudioStreamTrack()
            self.pc.addTrack(track)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return {"sdp": self.pc.localDescription.sdp}

    async def close(self):
        for task in self.tasks:
            task.cancel()
        await self.pc.close()
        return {}


async def main():
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    peer = Peer()
    while line := await lines.readline():
        command = json.loads(line)
        try:
            if command["do"] == "version":
                reply = {"version": aiortc.__version__}
            elif command["do"] == "seen":
                reply = peer.seen
            else:
                given = {name: text for name, text in command.items() if name != "do"}
                reply = await getattr(peer, command["do"])(**given)
        except Exception as error:  # the harness prints it
            reply = {"error": repr(error)}
        print(json.dumps(reply), flush=True)
        if command["do"] == "close":
            return


# The reader's limit is far below a description.
asyncio.streams._DEFAULT_LIMIT = 2**20
asyncio.run(main())
