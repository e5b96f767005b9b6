"""A display on aiortc: one line of JSON out with its offer, one in with the answer, one out once pictures are decoded."""
import asyncio
import json
import sys

import av
from aiortc import RTCPeerConnection, RTCSessionDescription


# FFmpeg complains of each picture before the first key frame.
av.logging.set_level(av.logging.PANIC)


async def main():
    peer = RTCPeerConnection()
    seen = asyncio.get_running_loop().create_future()

    @peer.on("track")
    def on_track(track):
        async def watch():
            for _ in range(5):
                await track.recv()
            if not seen.done():
                seen.set_result(track.kind)

        if track.kind == "video":
            asyncio.ensure_future(watch())

    peer.addTransceiver("audio", direction="recvonly")
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    print(json.dumps({"sdp": peer.localDescription.sdp}), flush=True)
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await peer.setRemoteDescription(RTCSessionDescription(sdp=json.loads(line)["sdp"], type="answer"))
    await asyncio.wait_for(seen, 15)
    print(json.dumps({"pictures": 5}), flush=True)
    await peer.close()


asyncio.run(main())
