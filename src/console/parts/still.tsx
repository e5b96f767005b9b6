/** A camera's last still picture, fetched when it comes into view, and anew when there is a newer one. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'

export function Still({ camera: { id, snapshotAt } }: { readonly camera: Camera }) {
  const { api } = useHouse()
  const place = useRef<HTMLSpanElement>(null)
  const [isSeen, setSeen] = useState(false)
  const shownAt = useRef<number>(undefined)
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    if (!place.current) return
    // Of three hundred cameras a few fit the screen, and a browser asks for six things at a time.
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting === true), {
      rootMargin: '50%',
    })
    observer.observe(place.current)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    if (snapshotAt === undefined || !isSeen || shownAt.current === snapshotAt) return
    const abort = new AbortController()
    // What cannot be had leaves the picture as it was.
    api
      .snapshot(id, abort.signal)
      .then((picture) => {
        shownAt.current = snapshotAt
        setUrl(URL.createObjectURL(picture))
      })
      .catch(() => undefined)
    return () => abort.abort()
  }, [id, snapshotAt, isSeen])
  useEffect(() => () => void (url !== undefined && URL.revokeObjectURL(url)), [url])
  return (
    <span class="picture" ref={place} aria-hidden="true">
      {url !== undefined && <img src={url} alt="" />}
    </span>
  )
}
