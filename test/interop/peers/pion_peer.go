// pion as a display or as a camera: the same commands as aiortc_peer.py. Its pictures come from FFmpeg by RTP.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v3"
)

type command struct {
	Do       string `json:"do"`
	Sdp      string `json:"sdp"`
	Password string `json:"password"`
}

type reply map[string]interface{}

var (
	pc               *webrtc.PeerConnection
	pictures, sounds int64
	running          []*exec.Cmd
)

const h264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"

// connection has this ICE password, or one of its own. It knows the codecs that it sends, and no others: a camera of pion answers with all that it knows.
func connection(password string) (*webrtc.PeerConnection, error) {
	media := &webrtc.MediaEngine{}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
	picture := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: h264, RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}}
	if err := media.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: 111}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	if err := media.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: picture, PayloadType: 102}, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	if password != "" {
		settings.SetICECredentials("pion", password)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings))
	opened, err := api.NewPeerConnection(webrtc.Configuration{})
	if err == nil {
		opened.OnTrack(count)
	}
	return opened, err
}

func count(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if track.Kind() == webrtc.RTPCodecTypeAudio {
			atomic.AddInt64(&sounds, 1)
		} else if packet.Marker { // the marker ends a picture, RFC 6184 section 5.1
			atomic.AddInt64(&pictures, 1)
		}
	}
}

// feed sends FFmpeg's packets into a new track of this codec.
func feed(mime, id string, arguments ...string) (*webrtc.TrackLocalStaticRTP, error) {
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, id, "peer")
	if err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	target := fmt.Sprintf("rtp://%s?pkt_size=1200", socket.LocalAddr())
	all := append([]string{"-nostdin", "-loglevel", "quiet", "-re", "-f", "lavfi"}, arguments...)
	ffmpeg := exec.Command("/usr/bin/ffmpeg", append(all, "-f", "rtp", target)...)
	running = append(running, ffmpeg)
	go func() {
		buffer := make([]byte, 1500)
		for {
			size, err := socket.Read(buffer)
			if err != nil {
				return
			}
			_, _ = track.Write(buffer[:size])
		}
	}()
	return track, ffmpeg.Start()
}

func sound() (*webrtc.TrackLocalStaticRTP, error) {
	return feed(webrtc.MimeTypeOpus, "sound", strings.Fields("-i sine=frequency=440 -c:a libopus -ac 2")...)
}

func picture() (*webrtc.TrackLocalStaticRTP, error) {
	encode := "-i testsrc=size=640x360:rate=15 -c:v libx264 -profile:v baseline -tune zerolatency -preset ultrafast -g 15 -pix_fmt yuv420p -bsf:v dump_extra"
	return feed(webrtc.MimeTypeH264, "picture", strings.Fields(encode)...)
}

func gathered(description webrtc.SessionDescription) (reply, error) {
	done := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(description); err != nil {
		return nil, err
	}
	select {
	case <-done:
		return reply{"sdp": pc.LocalDescription().SDP}, nil
	case <-time.After(5 * time.Second):
		return nil, fmt.Errorf("gathering did not end in 5 s")
	}
}

func offer(password string) (reply, error) {
	if password != "" {
		_ = pc.Close()
		var err error
		if pc, err = connection(password); err != nil {
			return nil, err
		}
	}
	track, err := sound()
	if err != nil {
		return nil, err
	}
	if _, err = pc.AddTrack(track); err != nil {
		return nil, err
	}
	recvonly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if _, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, recvonly); err != nil {
		return nil, err
	}
	made, err := pc.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	return gathered(made)
}

func answer(sdp string) (reply, error) {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return nil, err
	}
	for _, open := range []func() (*webrtc.TrackLocalStaticRTP, error){sound, picture} {
		track, err := open()
		if err != nil {
			return nil, err
		}
		if _, err = pc.AddTrack(track); err != nil {
			return nil, err
		}
	}
	made, err := pc.CreateAnswer(nil)
	if err != nil {
		return nil, err
	}
	return gathered(made)
}

func act(given command) (reply, error) {
	switch given.Do {
	case "version":
		version, err := exec.Command("dpkg-query", "-W", "-f", "${source:Upstream-Version}", "golang-github-pion-webrtc.v3-dev").Output()
		return reply{"version": string(version)}, err
	case "offer":
		return offer(given.Password)
	case "accept":
		return reply{}, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: given.Sdp})
	case "answer":
		return answer(given.Sdp)
	case "seen":
		return reply{
			"connected": pc.ConnectionState() == webrtc.PeerConnectionStateConnected,
			"pictures":  atomic.LoadInt64(&pictures),
			"sounds":    atomic.LoadInt64(&sounds),
		}, nil
	case "close":
		for _, process := range running {
			_ = process.Process.Kill()
		}
		return reply{}, pc.Close()
	}
	return nil, fmt.Errorf("no command %q", given.Do)
}

func main() {
	var err error
	if pc, err = connection(""); err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var given command
		said := reply{}
		err := json.Unmarshal(lines.Bytes(), &given)
		if err == nil {
			said, err = act(given)
		}
		if err != nil {
			said = reply{"error": err.Error()} // the harness prints it
		}
		_ = json.NewEncoder(os.Stdout).Encode(said)
		if given.Do == "close" {
			return
		}
	}
}
