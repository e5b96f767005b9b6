/** Somebody rings: a card over whatever screen is open, and a chime. */
import { useEffect } from 'preact/hooks'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { hrefs } from '../route.ts'
import { playChime } from './chime.ts'
import { Icon } from './icon.tsx'
import { Menu } from './menu.tsx'
import { Still } from './still.tsx'

const mutes = [
  { name: 'quarter', ms: 15 * 60_000 },
  { name: 'hour', ms: 3_600_000 },
  { name: 'night', ms: 8 * 3_600_000 },
] as const

export function Visitor() {
  const { bell, cameras, now } = useHouse()
  const { visitor } = useLanguage().words
  const press = bell.ringing.value
  const camera = press && cameras.value?.find(({ id }) => id === press.cameraId)
  useEffect(() => {
    if (camera) playChime()
  }, [press?.eventId, camera === undefined])
  return (
    // Always there: a screen reader says what appears in it.
    <div class="visitor-place" role="alert">
      {camera && (
        <section class="visitor" aria-label={visitor.at(camera.name)}>
          <Still camera={camera} />
          <div class="says">
            <h2>
              <Icon name="bell" /> <bdi>{camera.name}</bdi>
            </h2>
            <p>{visitor.atDoor}</p>
            <div class="doings">
              <a class="button primary" href={hrefs.answer(camera.id)} onClick={() => bell.dismiss()}>
                {visitor.answer}
              </a>
              <Menu label={visitor.muteOf(camera.name)} face={visitor.mute} isButton>
                {mutes.map(({ name, ms }) => (
                  <button key={name} type="button" onClick={() => bell.mute(camera.id, now.value + ms)}>
                    {visitor.mutes[name]}
                  </button>
                ))}
              </Menu>
              <button type="button" class="button" onClick={() => bell.dismiss()}>
                {visitor.dismiss}
              </button>
            </div>
          </div>
        </section>
      )}
    </div>
  )
}
