/** A camera's last still picture. */
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { Picture } from './picture.tsx'

export function Still({ camera: { id, snapshotAt } }: { readonly camera: Camera }) {
  const { api } = useHouse()
  return (
    <Picture
      of={snapshotAt === undefined ? undefined : `${id} ${snapshotAt}`}
      load={(signal) => api.snapshot(id, signal)}
    />
  )
}
