/** Attacks on what cameras and their servers say: RTSP and SDP, ONVIF's XML and notifications, challenges, and WHEP's answers. */
import { createReader } from '../../src/gateway/onvif/notices.ts'
import { childrenOf, find, parseXml } from '../../src/gateway/onvif/xml.ts'
import { answerChallenges, isStale, whyUnmet } from '../../src/gateway/rtsp/authorization.ts'
import { readAacForm } from '../../src/gateway/rtsp/aac.ts'
import { readDescription } from '../../src/gateway/rtsp/description.ts'
import { readSprop } from '../../src/gateway/rtsp/h264.ts'
import { readH265Sets } from '../../src/gateway/rtsp/h265.ts'
import { createParser } from '../../src/gateway/rtsp/message.ts'
import type { Parser } from './parsers.ts'

const sdp = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=camera',
  't=0 0',
  'a=control:*',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  'a=fmtp:96 packetization-mode=1;profile-level-id=42c01e;sprop-parameter-sets=Z0LAHtoCgL/lwFqAgA==,aM48gA==',
  'a=control:trackID=1',
  'm=audio 0 RTP/AVP 97',
  'a=rtpmap:97 mpeg4-generic/16000/1',
  'a=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408',
  'a=sendonly',
].join('\r\n')

const notification = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><w:Notify xmlns:w="b-2"><w:NotificationMessage>
<w:Topic>tns1:RuleEngine/CellMotionDetector/Motion</w:Topic><w:Message><t:Message xmlns:t="s" UtcTime="2026-01-01T00:00:00Z" PropertyOperation="Changed">
<t:Source><t:SimpleItem Name="Rule" Value="1"/></t:Source><t:Data><t:SimpleItem Name="IsMotion" Value="true"/></t:Data></t:Message></w:Message>
</w:NotificationMessage></w:Notify></e:Body></e:Envelope>`

const good = Buffer.from('RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 2\r\n\r\nok$\0\0\x04data', 'latin1')

export const cameraParsers: readonly Parser[] = [
  {
    name: 'RTSP message',
    isBinary: true,
    samples: [good.toString('latin1'), 'OPTIONS rtsp://192.0.2.1/ RTSP/1.0\r\nCSeq: 2\r\n\r\n'],
    read(input) {
      const parse = createParser()
      const data = Buffer.from(input, 'latin1')
      for (let at = 0; at < data.length; at += 1_000) parse(data.subarray(at, at + 1_000))
    },
  },
  {
    name: 'SDP of a camera',
    samples: [sdp],
    read(input) {
      for (const { parameters } of readDescription(input, 'rtsp://192.0.2.1/live').tracks) {
        readAacForm(parameters)
        readSprop(parameters.get('sprop-parameter-sets'))
        readH265Sets(parameters)
      }
    },
  },
  {
    name: 'ONVIF notification',
    samples: [notification],
    read(input) {
      const read = createReader()
      const messages = childrenOf(find(parseXml(input), 'Body', 'Notify'), 'NotificationMessage')
      for (const message of messages) read(message, Date.UTC(2026, 0, 1))
    },
  },
  {
    name: 'challenge of a camera',
    samples: [
      'Digest realm="camera", nonce="abc", qop="auth,auth-int", algorithm=SHA-256, stale=false',
      'Basic realm="camera"',
    ],
    read(input) {
      const login = { user: 'admin', password: 'password' }
      answerChallenges([input], login)?.('GET', '/live')
      isStale([input])
      whyUnmet([input])
    },
  },
]
