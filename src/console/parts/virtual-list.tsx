/** Thousands of rows of one height, of which only those in view exist. */
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

interface VirtualListProps<T> {
  readonly label: string
  readonly items: readonly T[]
  /** Pixels, as in the style sheet. */
  readonly rowHeight: number
  readonly keyOf: (item: T) => string
  /** The row that stands at the top at first. */
  readonly start?: number
  /** Which rows are in view, and are about to be. */
  readonly onView?: (first: number, last: number) => void
  readonly children: (item: T) => ComponentChildren
}

/** Rows beyond the edge, so that a quick finger finds them there. */
const spare = 8

export function VirtualList<T>({ label, items, rowHeight, keyOf, start = 0, onView, children }: VirtualListProps<T>) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: start * rowHeight, height: 800 })
  useLayoutEffect(() => {
    if (start > 0) box.current?.scrollTo(0, start * rowHeight)
  }, [])
  useEffect(() => {
    const element = box.current
    if (!element) return
    const look = (): void => setView({ top: element.scrollTop, height: element.clientHeight })
    const observer = new ResizeObserver(look)
    observer.observe(element)
    element.addEventListener('scroll', look, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', look)
    }
  }, [])
  const top = Math.floor(view.top / rowHeight)
  const bottom = Math.ceil((view.top + view.height) / rowHeight) + spare
  useEffect(() => onView?.(top, bottom), [top, bottom])
  const first = Math.max(0, top - spare)
  const last = Math.min(items.length, bottom)
  return (
    <div class="virtual" ref={box} role="region" aria-label={label} tabIndex={0} style={{ '--rows': items.length }}>
      <ul style={{ height: `${items.length * rowHeight}px` }}>
        {items.slice(first, last).map((item, index) => (
          <li
            key={keyOf(item)}
            aria-setsize={items.length}
            aria-posinset={first + index + 1}
            style={{ transform: `translateY(${(first + index) * rowHeight}px)`, height: `${rowHeight}px` }}
          >
            {children(item)}
          </li>
        ))}
      </ul>
    </div>
  )
}
