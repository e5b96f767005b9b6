/** A display of another make at a camera of the world, for the suites that need the Debian packages of its stack. */
import { strictEqual } from 'node:assert/strict'
import { stacks, untilSeen, type Peer, type Place, type StackName } from '../interop/peers.ts'
import { type World } from './world.ts'
import { until } from '../until.ts'

export interface ForeignDisplay {
  readonly viewerId: string
  readonly peer: Peer
  /** The camera's candidates, those of the answer and those that came after it. */
  readonly candidates: readonly string[]
  close(): Promise<void>
}

let count = 0

/** Shows the camera on a display of this stack; resolves with its first picture. `setup`: the DTLS role that it offers. */
export async function showOn(
  world: World,
  stack: StackName,
  { setup = 'actpass', ...place }: Place & { readonly setup?: 'actpass' | 'active' } = {},
): Promise<ForeignDisplay> {
  count += 1
  const viewerId = `${stack}-${count}`
  const peer = await stacks[stack](place)
  try {
    const offer = await peer.offer()
    const line = await world.callIn(viewerId)
    // Its candidates trickle, or an offer of many would be too long for signaling.
    const sdp = offer
      .replaceAll('a=setup:actpass', `a=setup:${setup}`)
      .replace(/^a=(end-of-)?candidates?:?.*\r?\n/gm, '')
    line.send({ kind: 'offer', sdp })
    for (const candidate of candidatesIn(offer)) line.send({ kind: 'candidate', candidate, sdpMLineIndex: 0 })
    await until(() => line.received.some(({ kind }) => kind === 'end-of-candidates'))
    const said = line.received.flatMap((message) => (message.kind === 'answer' ? [message.sdp] : []))[0] ?? ''
    strictEqual(/^a=setup:(\w+)/m.exec(said)?.[1], setup === 'active' ? 'passive' : 'active')
    const late = line.received.flatMap((message) => (message.kind === 'candidate' ? [`a=${message.candidate}`] : []))
    const [session, ...sections] = said.split(/^(?=m=)/m)
    const answer = [session, ...sections.map((section) => section + late.map((each) => `${each}\r\n`).join(''))].join(
      '',
    )
    await peer.accept(answer)
    await untilSeen(peer, ({ connected, pictures }) => connected && pictures > 0)
    return {
      viewerId,
      peer,
      candidates: candidatesIn(answer),
      close: () => peer.close(),
    }
  } catch (error) {
    await peer.close()
    throw error
  }
}

const candidatesIn = (sdp: string): readonly string[] => [...new Set(sdp.match(/(?<=^a=)candidate:.*$/gm))]
