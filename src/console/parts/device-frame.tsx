/** The device around the picture, drawn in CSS. */
import type { RefObject } from 'preact'
import type { Assistant } from '../api.ts'
import { useHouse } from '../house.ts'
import { Icon } from './icon.tsx'
import type { Phase } from './use-display.ts'

export interface Announcement {
  /** From the press to here, where the press is known. */
  readonly ms?: number
}

interface DeviceFrameProps {
  readonly assistant: Assistant
  readonly cameraName: string
  readonly video: RefObject<HTMLVideoElement | null>
  readonly phase: Phase
  readonly announcement?: Announcement
  readonly onShow: () => void
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const date = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' })

export function DeviceFrame({ assistant, cameraName, video, phase, announcement, onShow }: DeviceFrameProps) {
  const { now } = useHouse()
  const isHome = phase === 'idle' || phase === 'failed'
  return (
    <div class={`device ${assistant}`}>
      <div class="body">
        <span class="lens" aria-hidden="true" />
        <div class="glass">
          {phase === 'idle' && (
            <div class="at-home" aria-hidden="true">
              <p class="time">{clock.format(now.value)}</p>
              <p>{date.format(now.value)}</p>
            </div>
          )}
          <video ref={video} hidden={isHome} autoplay playsInline aria-label={`Live picture of ${cameraName}`} />
          {phase === 'asking' && <span class="spinner" aria-hidden="true" />}
          {phase === 'live' && (
            <p class="caption">
              <span class="dot" aria-hidden="true" /> {cameraName}
            </p>
          )}
          <div role="status">
            {phase === 'asking' && <p class="unseen">Getting the picture of {cameraName}</p>}
            {phase === 'failed' && <p class="sorry">{sorry[assistant]}</p>}
            {announcement && (
              <div class="announcement">
                <Icon name="bell" />
                <p>
                  <strong>
                    {assistant === 'alexa' ? `Someone is at the ${cameraName}` : `${cameraName}: somebody rings`}
                  </strong>
                  {announcement.ms !== undefined && <span>{Math.round(announcement.ms)} ms after the press</span>}
                </p>
                {isHome && (
                  <button type="button" onClick={onShow}>
                    Show
                  </button>
                )}
              </div>
            )}
          </div>
        </div>
      </div>
      <div class="foot" aria-hidden="true" />
    </div>
  )
}

const sorry: Record<Assistant, string> = {
  alexa: 'Sorry, the camera isn’t responding.',
  google: 'Sorry, it looks like the camera isn’t available right now.',
}
