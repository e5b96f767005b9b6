/** The first screen: what is at the doors now. */
import { useState } from 'preact/hooks'
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Icon } from '../parts/icon.tsx'
import { Menu } from '../parts/menu.tsx'
import { OnlineState, RecordingState } from '../parts/state.tsx'
import { Still } from '../parts/still.tsx'
import { hrefs } from '../route.ts'
import { useTitle } from '../parts/use-title.ts'
import { TestMenu } from '../parts/test-menu.tsx'
import { Invitations } from '../parts/invitations.tsx'
import { Lately } from '../parts/lately.tsx'
import { AddCamera } from './add-camera.tsx'
import { EditCamera } from './edit-camera.tsx'
import { LeaveCamera } from './leave-camera.tsx'
import { RemoveCamera } from './remove-camera.tsx'
import { ShareCamera } from './share-camera.tsx'
import { Webhooks } from './webhooks.tsx'

type Open =
  | { readonly dialog: 'add' }
  | { readonly dialog: 'edit' | 'share' | 'webhooks' | 'remove' | 'leave'; readonly camera: Camera }

export function CamerasScreen() {
  const { cameras, me } = useHouse()
  const { cameras: words } = useLanguage().words
  const [open, setOpen] = useState<Open>()
  const close = (): void => setOpen(undefined)
  const all = cameras.value
  useTitle(words.title)
  return (
    <>
      <div class="title">
        <h1>{words.title}</h1>
        {me.canRegister && (
          <button type="button" class="button" onClick={() => setOpen({ dialog: 'add' })}>
            <Icon name="plus" /> {words.add}
          </button>
        )}
      </div>
      <Invitations />
      {all === undefined && (
        <div class="tiles" aria-busy="true">
          <div class="tile is-waiting" />
        </div>
      )}
      {all?.length === 0 && (
        <div class="empty">
          <h2>{words.none}</h2>
          <p>{me.canRegister ? words.addOne : words.askForOne}</p>
        </div>
      )}
      <div class="overview">
        <ul class="tiles">
          {all?.map((camera) => (
            <Tile key={camera.id} camera={camera} open={setOpen} />
          ))}
        </ul>
        <Lately />
      </div>
      {open?.dialog === 'add' && <AddCamera onClose={close} />}
      {open?.dialog === 'edit' && <EditCamera camera={open.camera} onClose={close} />}
      {open?.dialog === 'share' && <ShareCamera camera={open.camera} onClose={close} />}
      {open?.dialog === 'webhooks' && <Webhooks camera={open.camera} onClose={close} />}
      {open?.dialog === 'leave' && <LeaveCamera camera={open.camera} onClose={close} />}
      {open?.dialog === 'remove' && <RemoveCamera camera={open.camera} onClose={close} />}
    </>
  )
}

function Tile({ camera, open }: { readonly camera: Camera; readonly open: (what: Open) => void }) {
  const { now, bell, me } = useHouse()
  const { words: all, formats } = useLanguage()
  const { cameras: words } = all
  const { id, name, room, kind, isOwner, viewers, lastPressAt } = camera
  const isRinging = bell.ringing.value?.cameraId === id
  const mutedUntil = bell.mutedUntil(id)
  const what = [all.common.kinds[kind], isOwner ? undefined : words.shared]
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
          <h2>{name}</h2>
          <p class="soft">
            {room !== undefined && (
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
