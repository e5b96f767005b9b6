/** A picture that is fetched with the token when it comes into view, and again when there is a newer one. */
import { useEffect, useRef, useState } from 'preact/hooks'

interface PictureProps {
  /** Names what is shown; undefined while there is none. */
  readonly of: string | undefined
  readonly load: (signal: AbortSignal) => Promise<Blob>
}

export function Picture({ of, load }: PictureProps) {
  const place = useRef<HTMLSpanElement>(null)
  const [isSeen, setSeen] = useState(false)
  const shown = useRef<string>(undefined)
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
    if (of === undefined || !isSeen || shown.current === of) return
    const abort = new AbortController()
    // What cannot be had leaves the picture as it was.
    load(abort.signal)
      .then((picture) => {
        shown.current = of
        setUrl(URL.createObjectURL(picture))
      })
      .catch(() => undefined)
    return () => abort.abort()
  }, [of, isSeen])
  useEffect(() => () => void (url !== undefined && URL.revokeObjectURL(url)), [url])
  return (
    <span class="picture" ref={place} aria-hidden="true">
      {url !== undefined && <img src={url} alt="" />}
    </span>
  )
}
