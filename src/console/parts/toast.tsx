/** Short news at the foot of the page, said aloud too. */
import { type ComponentChildren, createContext } from 'preact'
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import { problemOf } from 'transom-player'
import { useLanguage } from '../language/language.ts'

interface Toast {
  readonly text: string
  readonly isBad: boolean
}

const shownMs = 6_000

const ToastContext = createContext<(toast: Toast) => void>(() => undefined)

export function Toasts({ children }: { readonly children: ComponentChildren }) {
  const [toast, setToast] = useState<Toast>()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const show = useCallback((next: Toast) => {
    clearTimeout(timer.current)
    setToast(next)
    timer.current = setTimeout(() => setToast(undefined), shownMs)
  }, [])
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <ToastContext.Provider value={show}>
      {children}
      <div class="toasts" role="status" aria-live="polite">
        {toast && <p class={toast.isBad ? 'toast is-bad' : 'toast'}>{toast.text}</p>}
      </div>
    </ToastContext.Provider>
  )
}

/** `say` tells; `attempt` does something and tells what went wrong. */
export function useToast() {
  const show = useContext(ToastContext)
  const { explain } = useLanguage()
  const say = (text: string): void => show({ text, isBad: false })
  const complain = (error: unknown): void => {
    const { message, advice } = explain(problemOf(error))
    show({ text: [message, advice].filter(Boolean).join(' '), isBad: true })
  }
  return { say, complain }
}
