/** Somebody rings: a card over whatever screen is open, and a chime. */
import { useEffect } from 'preact/hooks'
import { useHouse } from '../house.ts'
import { hrefs } from '../route.ts'
import { playChime } from './chime.ts'
import { Icon } from './icon.tsx'
import { Menu } from './menu.tsx'
import { Still } from './still.tsx'

const mutes = [
  { label: '15 minutes', ms: 15 * 60_000 },
  { label: 'an hour', ms: 3_600_000 },
  { label: 'eight hours', ms: 8 * 3_600_000 },
]

export function Visitor() {
  const { bell, cameras, now } = useHouse()
  const press = bell.ringing.value
  const camera = press && cameras.value?.find(({ id }) => id === press.cameraId)
  useEffect(() => {
    if (camera) playChime()
  }, [press?.eventId, camera === undefined])
  return (
    // Always there: a screen reader says what appears in it.
    <div class="visitor-place" role="alert">
      {camera && (
        <section class="visitor" aria-label={`Somebody is at ${camera.name}`}>
          <Still camera={camera} />
          <div class="says">
            <h2>
              <Icon name="bell" /> <bdi>{camera.name}</bdi>
            </h2>
            <p>Somebody is at the door.</p>
            <div class="doings">
              <a class="button primary" href={hrefs.answer(camera.id)} onClick={() => bell.dismiss()}>
                Answer
              </a>
              <Menu label={`Mute for … (${camera.name}, on this browser)`} face="Mute for …" isButton>
                {mutes.map(({ label, ms }) => (
                  <button key={label} type="button" onClick={() => bell.mute(camera.id, now.value + ms)}>
                    {label}
                  </button>
                ))}
              </Menu>
              <button type="button" class="button" onClick={() => bell.dismiss()}>
                Dismiss
              </button>
            </div>
          </div>
        </section>
      )}
    </div>
  )
}
