/** Which phones and computers tell somebody that the doorbell rings while no page is open. */
import { useEffect, useState } from 'preact/hooks'
import { PlayerError, problemOf, type Problem } from 'transom-player'
import type { Devices } from 'transom-core/wire/push'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useForm } from '../parts/use-form.ts'
import { guessedName, hasNotifications, NotifyFault, subscribe, thisDeviceId, unsubscribe } from '../this-device.ts'

export function Notifications({ onClose }: { readonly onClose: () => void }) {
  const { api } = useHouse()
  const { language, formats, words } = useLanguage()
  const { notifications, common } = words
  const isAble = hasNotifications()
  const [told, setTold] = useState<Devices>()
  const [thisId, setThisId] = useState<string>()
  const [name, setName] = useState(guessedName(navigator.userAgent))
  const [trouble, setTrouble] = useState<Problem>()
  const complain = (error: unknown): void => setTrouble(problemOf(error))
  async function load(): Promise<void> {
    setTold(await api.devices())
    setThisId(isAble ? await thisDeviceId() : undefined)
  }
  useEffect(() => void load().catch(complain), [])

  async function remove(id: string): Promise<void> {
    setTrouble(undefined)
    await api.removeDevice(id)
    if (id === thisId) await unsubscribe()
    await load()
  }
  const { isBusy, problem, onSubmit } = useForm(async () => {
    if (told === undefined) return
    try {
      await api.addDevice({ name: name.trim(), language, subscription: await subscribe(told.publicKey) })
    } catch (error) {
      if (!(error instanceof NotifyFault)) throw error
      const { fault } = error
      throw new PlayerError({ code: `notifications_${fault}`, message: notifications[fault] }, { cause: error })
    }
    await load()
  })
  const isTold = told?.devices.some(({ id }) => id === thisId) === true
  return (
    <Dialog title={notifications.title} onClose={onClose}>
      <p>{notifications.what}</p>
      {told === undefined && trouble === undefined && <p class="soft">{common.moment}</p>}
      <ul class="guests">
        {told?.devices.map((device) => (
          <li key={device.id}>
            <p>
              {device.name}
              <br />
              <span class="soft">
                {device.id === thisId ? notifications.thisDevice : notifications.since(formats.dateOf(device.addedAt))}
              </span>
            </p>
            <button
              type="button"
              class="button"
              aria-label={notifications.removeOf(device.name)}
              onClick={() => void remove(device.id).catch(complain)}
            >
              {notifications.remove}
            </button>
          </li>
        ))}
      </ul>
      {trouble && <Alert problem={trouble} />}
      {!isAble && <p class="soft">{notifications.unable}</p>}
      {isAble && told && !isTold && (
        <form onSubmit={onSubmit}>
          <label>
            {notifications.name}
            <input
              required
              maxLength={60}
              autoComplete="off"
              value={name}
              onInput={({ currentTarget }) => setName(currentTarget.value)}
            />
          </label>
          {problem && <Alert problem={problem} />}
          <div class="actions">
            <button type="submit" class="button primary" aria-disabled={isBusy}>
              {notifications.add}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  )
}
