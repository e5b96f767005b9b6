/** A link to one recording for somebody without an account: it ends, and it ends sooner when the recording is deleted. */
import { useState } from 'preact/hooks'
import type { ActivityEntry, ClipAddress } from 'transom-core/wire/api'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Copied } from '../parts/copied.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useForm } from '../parts/use-form.ts'

interface ShareClipProps {
  readonly entry: ActivityEntry
  readonly name: string
  readonly onClose: () => void
}

const choices = [1, 7, 30]

export function ShareClip({ entry: { cameraId, recording }, name, onClose }: ShareClipProps) {
  const { api } = useHouse()
  const { words, formats } = useLanguage()
  const { shareClip, common } = words
  const [address, setAddress] = useState<ClipAddress>()
  const { isBusy, problem, onSubmit } = useForm(async (fields) => {
    if (recording) setAddress(await api.clipAddress(cameraId, recording.id, Number(fields.get('days'))))
  })
  return (
    <Dialog title={shareClip.title(name)} onClose={onClose}>
      {address ? (
        <>
          <p class="copied">
            <Copied as="code" text={new URL(address.url, location.href).href} what={shareClip.link} />
          </p>
          <p class="soft">{shareClip.until(`${formats.longDay(address.until)}, ${formats.clock(address.until)}`)}</p>
        </>
      ) : (
        <form onSubmit={onSubmit}>
          <p>{shareClip.what}</p>
          <label>
            {shareClip.works}
            <select name="days">
              {choices.map((days) => (
                <option key={days} value={days}>
                  {shareClip.days(days)}
                </option>
              ))}
            </select>
          </label>
          {problem && <Alert problem={problem} />}
          <div class="actions">
            <button type="button" class="button" onClick={onClose}>
              {common.cancel}
            </button>
            <button type="submit" class="button primary" aria-disabled={isBusy}>
              {shareClip.make}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  )
}
