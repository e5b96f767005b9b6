import { useState } from 'preact/hooks'
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Icon } from './icon.tsx'
import { useToast } from './toast.tsx'

/** Presses the bell as a finger at the door would. */
export function RingButton({ camera: { id, name } }: { readonly camera: Pick<Camera, 'id' | 'name'> }) {
  const { api } = useHouse()
  const { test } = useLanguage().words
  const { say, complain } = useToast()
  const [isBusy, setBusy] = useState(false)
  async function ring(): Promise<void> {
    setBusy(true)
    try {
      await api.ring(id)
      say(test.ringing(name))
    } catch (error) {
      complain(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <button
      type="button"
      class="button"
      aria-disabled={isBusy}
      onClick={() => void (isBusy || ring())}
      aria-label={test.ringOf(name)}
    >
      <Icon name="bell" /> {test.ring}
    </button>
  )
}
