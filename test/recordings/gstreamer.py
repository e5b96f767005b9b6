"""Plays an address to its end as fast as it comes, and prints how many pictures were decoded and how long they last."""
import sys
import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

Gst.init(None)
pipeline = Gst.parse_launch(
    f'uridecodebin3 name=source uri="{sys.argv[1]}" ! videoconvert ! fakesink name=sink sync=false signal-handoffs=true'
)
count = 0


def handoff(_sink, _buffer, _pad):
    global count
    count += 1


pipeline.get_by_name("sink").connect("handoff", handoff)
loop = GLib.MainLoop()
failed = []


def message(_bus, one):
    if one.type == Gst.MessageType.ERROR:
        failed.append(str(one.parse_error()))
    if one.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
        loop.quit()


bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message", message)
pipeline.set_state(Gst.State.PLAYING)
GLib.timeout_add_seconds(60, lambda: (failed.append("it does not end"), loop.quit()))
loop.run()
_, duration = pipeline.query_duration(Gst.Format.TIME)
pipeline.set_state(Gst.State.NULL)
print(count, round(duration / Gst.MSECOND))
sys.exit("\n".join(failed) or 0)
