/** One camera of the list: its still, how it is, and what can be done with it. */
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { hrefs } from '../route.ts'
import { Icon } from './icon.tsx'
import { Menu } from './menu.tsx'
import { OnlineState, RecordingState } from './state.tsx'
import { Still } from './still.tsx'
import { TestMenu } from './test-menu.tsx'

/** What is done in a dialog. */
export type CameraDialog = 'edit' | 'share' | 'webhooks' | 'remove' | 'leave'

interface TileProps {
  readonly camera: Camera
  /** The one below whose name its room stands already. */
  readonly isInRoom?: boolean
  readonly open: (what: { readonly dialog: CameraDialog; readonly camera: Camera }) => void
}

export function CameraTile({ camera, isInRoom = false, open }: TileProps) {
  const { now, bell, me } = useHouse()
  const { words: all, formats } = useLanguage()
  const { cameras: words } = all
  const { id, name, room, kind, isOwner, viewers, lastPressAt } = camera
  const Heading = isInRoom ? 'h3' : 'h2'
  const isRinging = bell.ringing.value?.cameraId === id
  const mutedUntil = bell.mutedUntil(id)
  const what = [all.common.kinds[kind], isOwner ? undefined : words.sharedTo(camera)]
  return (
    <li class={isRinging ? 'tile is-ringing' : 'tile'}>
      <a class="still" href={hrefs.camera(id)} aria-label={words.liveOf(name)}>
        <Still camera={camera} />
        <span class="glyph">
          <Icon name="live" />
        </span>
      </a>
      <div class="chips">
        <OnlineState camera={camera} />
        <RecordingState camera={camera} />
        {viewers > 0 && (
          <span class="state">
            <Icon name="eye" /> {words.viewers(viewers)}
          </span>
        )}
        {isRinging && (
          <span class="state is-bell">
            <Icon name="bell" /> {words.rings}
          </span>
        )}
      </div>
      <div class="about">
        <div>
          <Heading>{name}</Heading>
          <p class="soft">
            {room !== undefined && !isInRoom && (
              <>
                <bdi>{room}</bdi> ·{' '}
              </>
            )}
            {what.filter(Boolean).join(' · ')}
          </p>
          {mutedUntil !== undefined && (
            <p class="soft">
              {words.mutedUntil(formats.clock(mutedUntil))}{' '}
              <button type="button" class="link" onClick={() => bell.mute(id, 0)}>
                {words.unmute}
              </button>
            </p>
          )}
          {kind === 'doorbell' && (
            <p class="soft">
              {lastPressAt === undefined ? words.neverRang : words.rang(formats.ago(lastPressAt, now.value))}
            </p>
          )}
        </div>
        <Menu label={words.moreFor(name)} face={<Icon name="more" />}>
          {isOwner ? (
            <>
              {me.canRegister && (
                <button type="button" onClick={() => open({ dialog: 'edit', camera })}>
                  {words.edit}
                </button>
              )}
              <button type="button" onClick={() => open({ dialog: 'share', camera })}>
                {words.share}
              </button>
              <button type="button" onClick={() => open({ dialog: 'webhooks', camera })}>
                {words.webhooks}
              </button>
              <button type="button" class="bad" onClick={() => open({ dialog: 'remove', camera })}>
                {words.remove}
              </button>
            </>
          ) : (
            <button type="button" class="bad" onClick={() => open({ dialog: 'leave', camera })}>
              {words.leave}
            </button>
          )}
        </Menu>
      </div>
      <div class="doings">
        <a class="button primary" href={hrefs.camera(id)}>
          <Icon name="live" /> {words.live}
        </a>
        <TestMenu camera={camera} />
      </div>
    </li>
  )
}
