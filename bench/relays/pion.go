// pion as a relay: RTP comes in by UDP and goes out to each viewer. A line of JSON in is an offer, a line out its answer.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/pion/webrtc/v3"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	port, err := strconv.Atoi(os.Args[1])
	must(err)
	codec := webrtc.RTPCodecCapability{
		MimeType:    webrtc.MimeTypeH264,
		ClockRate:   90000,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
	}
	// One track for all connections: pion writes the header of each by itself.
	track, err := webrtc.NewTrackLocalStaticRTP(codec, "video", "camera")
	must(err)
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	must(err)
	go func() {
		packet := make([]byte, 2000)
		for {
			length, err := socket.Read(packet)
			must(err)
			_, _ = track.Write(packet[:length])
		}
	}()
	fmt.Println(`"ready"`)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var offer string
		must(json.Unmarshal(lines.Bytes(), &offer))
		answer, err := json.Marshal(connect(track, offer))
		must(err)
		fmt.Println(string(answer))
	}
}

func connect(track *webrtc.TrackLocalStaticRTP, offer string) string {
	connection, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	must(err)
	sender, err := connection.AddTrack(track)
	must(err)
	go func() {
		reports := make([]byte, 1500)
		for {
			if _, _, err := sender.Read(reports); err != nil {
				return
			}
		}
	}()
	connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state >= webrtc.PeerConnectionStateDisconnected {
			_ = connection.Close()
		}
	})
	must(connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}))
	answer, err := connection.CreateAnswer(nil)
	must(err)
	gathered := webrtc.GatheringCompletePromise(connection)
	must(connection.SetLocalDescription(answer))
	<-gathered
	return connection.LocalDescription().SDP
}
