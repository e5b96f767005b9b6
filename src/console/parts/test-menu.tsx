/** What tries a camera without an Echo, a Nest, or a finger at the door. */
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { hrefs } from '../route.ts'
import { Icon } from './icon.tsx'
import { Menu } from './menu.tsx'
import { RingButton } from './ring-button.tsx'

export function TestMenu({ camera }: { readonly camera: Camera }) {
  const { me } = useHouse()
  const { test, display } = useLanguage().words
  const { id, name, isOwner, kind } = camera
  const canRing = isOwner && kind === 'doorbell'
  if (!canRing && !me.canSimulate) return null
  return (
    <Menu label={test.of(name)} face={test.title} isButton>
      {canRing && <RingButton camera={camera} />}
      {me.canSimulate && (
        <>
          <a href={hrefs.display('alexa', id)} aria-label={test.showOn(name, 'alexa')}>
            <Icon name="echo" /> {display.names.alexa}
          </a>
          <a href={hrefs.display('google', id)} aria-label={test.showOn(name, 'google')}>
            <Icon name="hub" /> {display.names.google}
          </a>
        </>
      )}
    </Menu>
  )
}
