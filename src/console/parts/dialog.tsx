/** A modal dialog: the browser's own, with focus kept inside, Escape and the backdrop to leave it. */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { useLanguage } from '../language/language.ts'
import { Icon } from './icon.tsx'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  /** What is in it would be lost: only its own buttons close it. */
  readonly isKept?: boolean
  readonly children: ComponentChildren
}

export function Dialog({ title, onClose, isKept = false, children }: DialogProps) {
  const { common } = useLanguage().words
  const dialog = useRef<HTMLDialogElement>(null)
  const isOutside = useRef(false)
  const id = useId()
  useEffect(() => {
    const opener = document.activeElement
    dialog.current?.showModal()
    return () => {
      // While the dialog is still there, nothing outside of it takes the focus.
      setTimeout(() => {
        // What was removed cannot be gone back to.
        const isThere = opener?.isConnected === true && opener !== document.body
        const back = isThere ? opener : document.querySelector('main')
        if (back instanceof HTMLElement) back.focus()
      })
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        if (!isKept) onClose()
      }}
      // A browser lets a second Escape close any dialog.
      onClose={() => (isKept ? dialog.current?.showModal() : onClose())}
      // Not when a press that began inside, to mark a text, ends out there.
      onPointerDown={({ target }) => void (isOutside.current = target === dialog.current)}
      onClick={({ target }) => isOutside.current && target === dialog.current && !isKept && onClose()}
    >
      <div class="dialog">
        <header>
          <h2 id={id}>{title}</h2>
          {!isKept && (
            <button type="button" class="round" aria-label={common.close} onClick={onClose}>
              <Icon name="close" />
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  )
}
