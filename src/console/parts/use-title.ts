/** The name of the window: by it tabs, the history and screen readers tell one screen from another. */
import { useEffect } from 'preact/hooks'

export function useTitle(title: string): void {
  useEffect(() => void (document.title = `${title} · Transom`), [title])
}
