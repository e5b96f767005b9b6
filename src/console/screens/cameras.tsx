/** The first screen: what is at the doors now. */
import { useState } from 'preact/hooks'
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { CameraTile, type CameraDialog } from '../parts/camera-tile.tsx'
import { Icon } from '../parts/icon.tsx'
import { useTitle } from '../parts/use-title.ts'
import { Invitations } from '../parts/invitations.tsx'
import { Lately } from '../parts/lately.tsx'
import { byRoom, isMany, withWords } from '../wall.ts'
import { AddCamera } from './add-camera.tsx'
import { EditCamera } from './edit-camera.tsx'
import { LeaveCamera } from './leave-camera.tsx'
import { RemoveCamera } from './remove-camera.tsx'
import { ShareCamera } from './share-camera.tsx'
import { Webhooks } from './webhooks.tsx'

type Open = { readonly dialog: 'add' } | { readonly dialog: CameraDialog; readonly camera: Camera }

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
      {all?.length === 0 && (
        <div class="empty">
          <h2>{words.none}</h2>
          <p>{me.canRegister ? words.addOne : words.askForOne}</p>
        </div>
      )}
      <div class="overview">
        {all === undefined && <Waiting />}
        {all !== undefined &&
          (isMany(all) ? <Wall cameras={all} open={setOpen} /> : <Tiles cameras={all} open={setOpen} />)}
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

/** Where the tiles will be. */
function Waiting() {
  return (
    <div class="tiles" aria-busy="true">
      <div class="tile is-waiting" />
      <div class="tile is-waiting" />
    </div>
  )
}

interface TilesProps {
  readonly cameras: readonly Camera[]
  readonly isInRoom?: boolean
  readonly open: (open: Open) => void
}

function Tiles({ cameras, isInRoom = false, open }: TilesProps) {
  return (
    <ul class="tiles">
      {cameras.map((camera) => (
        <CameraTile key={camera.id} camera={camera} isInRoom={isInRoom} open={open} />
      ))}
    </ul>
  )
}

/** Many cameras: small, room by room, and to be looked through. */
function Wall({ cameras, open }: TilesProps) {
  const { cameras: words, sessions } = useLanguage().words
  const [find, setFind] = useState('')
  const found = withWords(cameras, find)
  const rooms = byRoom(found)
  return (
    <div class="wall">
      <form role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          {sessions.filters.find}
          <input
            type="search"
            placeholder={words.findHint}
            value={find}
            onInput={({ currentTarget }) => setFind(currentTarget.value)}
          />
        </label>
        <p class="soft small" role="status">
          {words.online(found.filter(({ isOnline }) => isOnline).length, found.length)}
        </p>
      </form>
      {rooms.map(([room, some]) => (
        <section key={room} aria-label={room || words.noRoom}>
          {(room !== '' || rooms.length > 1) && <h2>{room === '' ? words.noRoom : <bdi>{room}</bdi>}</h2>}
          <Tiles cameras={some} isInRoom open={open} />
        </section>
      ))}
      {found.length === 0 && (
        <div class="empty">
          <h2>{words.noMatch}</h2>
        </div>
      )}
    </div>
  )
}
