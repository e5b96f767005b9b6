/** The device around the picture, drawn in CSS. */
import type { RefObject } from 'preact'
import type { Assistant } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
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

export function DeviceFrame({ assistant, cameraName, video, phase, announcement, onShow }: DeviceFrameProps) {
  const { now } = useHouse()
  const { words, formats } = useLanguage()
  const { display } = words
  const isHome = phase === 'idle' || phase === 'failed'
  return (
    <div class={`device ${assistant}`}>
      <div class="body">
        <span class="lens" aria-hidden="true" />
        <div class="glass">
          {phase === 'idle' && (
            <div class="at-home" aria-hidden="true">
              <p class="time">{formats.clock(now.value)}</p>
              <p>{formats.longDay(now.value)}</p>
            </div>
          )}
          <video ref={video} hidden={isHome} autoplay playsInline aria-label={display.pictureOf(cameraName)} />
          {phase === 'asking' && <span class="spinner" aria-hidden="true" />}
          {phase === 'live' && (
            <p class="caption">
              <span class="dot" aria-hidden="true" /> {cameraName}
            </p>
          )}
          <div role="status">
            {phase === 'asking' && <p class="unseen">{display.getting(cameraName)}</p>}
            {phase === 'failed' && <p class="sorry">{display.sorry[assistant]}</p>}
            {announcement && (
              <div class="announcement">
                <Icon name="bell" />
                <p>
                  <strong>{display.announced(cameraName, assistant)}</strong>
                  {announcement.ms !== undefined && <span>{display.afterPress(formats.ms(announcement.ms))}</span>}
                </p>
                {isHome && (
                  <button type="button" onClick={onShow}>
                    {display.show}
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
