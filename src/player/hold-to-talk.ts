/** The talk button. Held: push to talk. Tapped: the microphone stays open until the next tap. */

/** A shorter press is a tap. */
const tapMs = 350

/** `talk` opens or mutes the microphone and rejects when it cannot; the button's `aria-pressed` says which. Returns what a tap does. */
export function holdToTalk(
  button: HTMLElement,
  talk: (on: boolean) => Promise<void>,
  complain: (error: unknown) => void,
): { set(on: boolean): void } {
  let downAt: number | undefined
  const isOn = (): boolean => button.getAttribute('aria-pressed') === 'true'
  const set = (on: boolean): void => {
    button.setAttribute('aria-pressed', String(on))
    talk(on).catch((error: unknown) => {
      button.setAttribute('aria-pressed', 'false')
      complain(error)
    })
  }
  const down = (): void => {
    if (isOn()) return set(false)
    downAt = performance.now()
    set(true)
  }
  const up = (): void => {
    if (downAt !== undefined && performance.now() - downAt >= tapMs) set(false)
    downAt = undefined
  }

  button.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return
    button.setPointerCapture(event.pointerId)
    down()
  })
  button.addEventListener('pointerup', up)
  button.addEventListener('pointercancel', up)
  // A long touch asks for a menu.
  button.addEventListener('contextmenu', (event) => event.preventDefault())
  // Of a key that is let go in another window nothing is heard, and the microphone would stay open.
  button.addEventListener('blur', () => {
    if (downAt !== undefined) set(false)
    downAt = undefined
  })
  button.addEventListener('keydown', (event) => {
    if (!isOurKey(event)) return
    // Otherwise the browser makes a click of it.
    event.preventDefault()
    if (!event.repeat) down()
  })
  button.addEventListener('keyup', (event) => {
    if (!isOurKey(event)) return
    event.preventDefault()
    up()
  })
  // Assistive technology clicks without a pointer, which counts 0; a pointer's click has been dealt with.
  button.addEventListener('click', (event) => {
    if (event.detail === 0) set(!isOn())
  })
  return { set }
}

const isOurKey = ({ key }: KeyboardEvent): boolean => key === ' ' || key === 'Enter'
