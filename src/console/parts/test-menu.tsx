/** What tries a camera without an Echo, a Nest, or a finger at the door. */
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { hrefs } from '../route.ts'
import { Icon } from './icon.tsx'
import { Menu } from './menu.tsx'
import { RingButton } from './ring-button.tsx'

export function TestMenu({ camera }: { readonly camera: Camera }) {
  const { me } = useHouse()
  const { id, name, isOwner, kind } = camera
  const canRing = isOwner && kind === 'doorbell'
  if (!canRing && !me.canSimulate) return null
  return (
    <Menu label={`Test ${name}`} face="Test" isButton>
      {canRing && <RingButton camera={camera} />}
      {me.canSimulate && (
        <>
          <a href={hrefs.display('alexa', id)} aria-label={`Show ${name} on an Echo Show`}>
            <Icon name="echo" /> Echo Show
          </a>
          <a href={hrefs.display('google', id)} aria-label={`Show ${name} on a Nest Hub`}>
            <Icon name="hub" /> Nest Hub
          </a>
        </>
      )}
    </Menu>
  )
}
