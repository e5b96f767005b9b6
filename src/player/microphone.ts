/** The microphone of talk-back: asked for when it is first needed, and let go of soon after the last word. */
import { PlayerError } from './problem.ts'

/** How long a muted one stays open: the next word of a conversation must not wait for it. */
const microphoneMs = 5_000

export interface Microphone {
  /** True when something changed. */
  set(on: boolean, sender: RTCRtpSender): Promise<boolean>
  close(): void
}

/** `onGone`: the one that was talked into was taken away, or its permission was. */
export function createMicrophone(onGone: () => void): Microphone {
  let opened: Promise<MediaStreamTrack> | undefined
  let wanted = false
  let isClosed = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const release = (): void => {
    // One that was refused has said so where it was asked for.
    void opened?.then((track) => track.stop()).catch(() => undefined)
    opened = undefined
  }
  const lose = async (track: MediaStreamTrack): Promise<void> => {
    if ((await opened?.catch(() => undefined)) !== track) return
    opened = undefined
    if (!wanted) return
    wanted = false
    onGone()
  }
  return {
    async set(on, sender) {
      if (wanted === on) return false
      wanted = on
      clearTimeout(timer)
      if (!on) {
        await sender.replaceTrack(null)
        // Somebody may have begun again meanwhile.
        if (!wanted && !isClosed) timer = setTimeout(release, microphoneMs)
        return !wanted
      }
      try {
        opened ??= openMicrophone()
        const track = await opened
        track.addEventListener('ended', () => void lose(track), { once: true })
        // The button may have been let go, or the call ended, while the browser asked for permission.
        if (isClosed || !wanted) return false
        await sender.replaceTrack(track)
        return true
      } catch (error) {
        wanted = false
        opened = undefined
        throw error
      }
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      release()
    },
  }
}

async function openMicrophone(): Promise<MediaStreamTrack> {
  if (!globalThis.isSecureContext || navigator.mediaDevices === undefined)
    throw new PlayerError({
      code: 'insecure_page',
      message: 'The browser gives no microphone to this page.',
      advice: 'Browsers give it to pages at https:// and at localhost only: open the bridge there.',
    })
  try {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
    const opened = await navigator.mediaDevices.getUserMedia({ audio })
    const [track] = opened.getAudioTracks()
    if (track !== undefined) return track
  } catch (cause) {
    const isRefused = cause instanceof DOMException && cause.name === 'NotAllowedError'
    throw new PlayerError(
      isRefused
        ? {
            code: 'microphone_refused',
            message: 'You, or the browser, did not allow the microphone.',
            advice: 'Allow it in the settings of this site, beside the address, and try again.',
          }
        : { code: 'no_microphone', message: 'No microphone can be used.', advice: 'Connect one and try again.' },
      { cause },
    )
  }
  throw new PlayerError({ code: 'no_microphone', message: 'No microphone can be used.' })
}
