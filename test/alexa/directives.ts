/** Directives as Alexa sends them, with the fields that we do not use, and an offer with the oddities of captured ones. */

/** `s=a 2 z`, one level of `c=`, static payload types without rtpmap, H264 without fmtp, component-2 and TCP candidates. */
export const offerSdp = [
  'v=0',
  'o=- 3911264527 3911264527 IN IP4 0.0.0.0',
  's=a 2 z',
  'c=IN IP4 0.0.0.0',
  't=0 0',
  'a=group:BUNDLE audio0 video0',
  ...['audio 1 UDP/TLS/RTP/SAVPF 96 0 8', 'video 1 UDP/TLS/RTP/SAVPF 99'].flatMap((media, index) => [
    `m=${media}`,
    ...(index === 0 ? ['a=rtpmap:96 opus/48000/2'] : ['b=AS:2500', 'a=rtpmap:99 H264/90000']),
    ...(index === 0 ? [] : ['a=rtcp-fb:99 nack', 'a=rtcp-fb:99 nack pli', 'a=rtcp-fb:99 ccm fir']),
    'a=candidate:1 1 udp 2013266431 203.0.113.7 16000 typ host',
    'a=candidate:2 1 tcp 1019216383 203.0.113.7 9 typ host tcptype active',
    'a=candidate:1 2 udp 2013266430 203.0.113.7 16001 typ host',
    'a=setup:actpass',
    'a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=rtcp-mux',
    'a=sendrecv',
    `a=mid:${index === 0 ? 'audio0' : 'video0'}`,
    'a=ice-ufrag:aBcD',
    'a=ice-pwd:abcdefghijklmnopqrstuv',
    'a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF',
  ]),
  '',
].join('\r\n')

const messageId = 'b2f1a9f3-5c0e-4f44-9a5c-0d1d2b3c4e5f'
export const correlationToken = 'dFMb0z+PgpgdDmluhJ1LddFvSqZ/jCc8ptlAKulUj90jSqg=='
export const sessionId = 'amzn1.session.8f2c6b0e/7'

function toEndpoint(name: string, payload: object, token: string, endpointId: string) {
  const [namespace, directiveName] = name.split('/')
  return {
    directive: {
      header: { namespace, name: directiveName, messageId, correlationToken, payloadVersion: '3' },
      endpoint: { scope: { type: 'BearerToken', token }, endpointId, cookie: { seen: 'before' } },
      payload,
    },
  }
}

export const discover = (token = 'good') => ({
  directive: {
    header: { namespace: 'Alexa.Discovery', name: 'Discover', messageId, payloadVersion: '3' },
    payload: { scope: { type: 'BearerToken', token } },
  },
})

export const acceptGrant = (code = 'code-1', token = 'good') => ({
  directive: {
    header: { namespace: 'Alexa.Authorization', name: 'AcceptGrant', messageId, payloadVersion: '3' },
    payload: { grant: { type: 'OAuth2.AuthorizationCode', code }, grantee: { type: 'BearerToken', token } },
  },
})

export const reportState = (endpointId = 'front-door', token = 'good') =>
  toEndpoint('Alexa/ReportState', {}, token, endpointId)

export const initiateSession = (
  offer: object = { format: 'SDP', value: offerSdp },
  { endpointId = 'front-door', token = 'good' } = {},
) => toEndpoint('Alexa.RTCSessionController/InitiateSessionWithOffer', { sessionId, offer }, token, endpointId)

export const sessionConnected = (token = 'good') =>
  toEndpoint('Alexa.RTCSessionController/SessionConnected', { sessionId }, token, 'front-door')

export const sessionDisconnected = (token = 'good') =>
  toEndpoint('Alexa.RTCSessionController/SessionDisconnected', { sessionId }, token, 'front-door')

export const initializeStreams = (endpointId = 'front-door', token = 'good') =>
  toEndpoint(
    'Alexa.CameraStreamController/InitializeCameraStreams',
    {
      cameraStreams: [
        {
          protocol: 'RTSP',
          resolution: { width: 1280, height: 720 },
          authorizationType: 'NONE',
          videoCodec: 'H264',
          audioCodec: 'AAC',
        },
      ],
    },
    token,
    endpointId,
  )

export const getSnapshot = (endpointId = 'front-door', token = 'good') =>
  toEndpoint('Alexa.SmartVision.SnapshotProvider/GetSnapshot', { preferOnDemandSnapshot: false }, token, endpointId)

export const setDetectionClasses = (endpointId = 'front-door', token = 'good') =>
  toEndpoint(
    'Alexa.SmartVision.ObjectDetectionSensor/SetObjectDetectionClasses',
    { objectDetectionClasses: [{ imageNetClass: 'person' }] },
    token,
    endpointId,
  )
