/** The name of the window: by it tabs, the history and screen readers tell one screen from another. */
import { useEffect } from 'preact/hooks'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'

/** While somebody rings, the window says so instead: its tab may be one of many. */
export function useTitle(title: string): void {
  const { bell, cameras } = useHouse()
  const { visitor } = useLanguage().words
  const press = bell.ringing.value
  const camera = press && cameras.value?.find(({ id }) => id === press.cameraId)
  const shown = camera ? visitor.at(camera.name) : title
  useEffect(() => void (document.title = `${shown} · Transom`), [shown])
}
