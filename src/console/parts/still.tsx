/** A camera's last still picture, fetched anew when there is a newer one. */
import { useEffect, useState } from 'preact/hooks'
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'

export function Still({ camera: { id, snapshotAt } }: { readonly camera: Camera }) {
  const { api } = useHouse()
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    if (snapshotAt === undefined) return
    const abort = new AbortController()
    // What cannot be had leaves the picture as it was.
    api
      .snapshot(id, abort.signal)
      .then((picture) => setUrl(URL.createObjectURL(picture)))
      .catch(() => undefined)
    return () => abort.abort()
  }, [id, snapshotAt])
  useEffect(() => () => void (url !== undefined && URL.revokeObjectURL(url)), [url])
  return url === undefined ? <span class="no-still" aria-hidden="true" /> : <img src={url} alt="" />
}
