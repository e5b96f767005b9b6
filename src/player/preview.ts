/** The picture and the time of a place on the time line, above it. */

/** As many as are kept at hand. */
const mostThumbnails = 50

/** What is above the line, as `createPreview` gives it. */
export interface Preview {
  /** At this place (0 to 1) and with this time; with the picture of a recording, where it has one. */
  show(place: number, time: string, recording: number | undefined): void
  hide(): void
  /** Hides, and lets go of all pictures. */
  clear(): void
}

/** Made of a `<figure>` with an image and a caption. `read` reads the picture of a recording; where it rejects there is none. */
export function createPreview(
  figure: HTMLElement,
  read: (recording: number, signal: AbortSignal) => Promise<Blob>,
): Preview {
  const image = figure.querySelector('img')!
  const caption = figure.querySelector('figcaption')!
  /** Addresses by recording; empty where there is no picture. */
  const known = new Map<number, string>()
  let shown: number | undefined
  let reading = new AbortController()

  function put(id: number, address: string): void {
    known.set(id, address)
    for (const [oldest, old] of known) {
      if (known.size <= mostThumbnails) break
      known.delete(oldest)
      URL.revokeObjectURL(old)
    }
    if (shown === id) showImage(address)
  }
  function showImage(address: string): void {
    image.hidden = address === ''
    if (address !== '') image.src = address
  }

  return {
    show(place, text, id) {
      figure.hidden = false
      // Half of its width from either end, beyond which the player cuts it off.
      figure.style.left = `clamp(84px, ${place * 100}%, 100% - 84px)`
      caption.textContent = text
      if (shown === id) return
      shown = id
      const address = id === undefined ? '' : known.get(id)
      showImage(address ?? '')
      if (id === undefined || address !== undefined) return
      reading.abort()
      reading = new AbortController()
      const { signal } = reading
      read(id, signal).then(
        (blob) => put(id, URL.createObjectURL(blob)),
        () => signal.aborted || put(id, ''),
      )
    },
    hide() {
      figure.hidden = true
    },
    clear() {
      figure.hidden = true
      shown = undefined
      reading.abort()
      for (const address of known.values()) URL.revokeObjectURL(address)
      known.clear()
    },
  }
}
