/** A button with a list under it, which goes when one looks elsewhere. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

interface MenuProps {
  readonly label: string
  /** What is on the button. */
  readonly face: ComponentChildren
  /** Looks like the buttons beside it. */
  readonly isButton?: boolean
  readonly children: ComponentChildren
}

export function Menu({ label, face, isButton = false, children }: MenuProps) {
  const menu = useRef<HTMLDetailsElement>(null)
  const [isOpen, setOpen] = useState(false)
  function leave(): void {
    setOpen(false)
    // What is in it is gone in a moment, and a focus there with it.
    menu.current?.querySelector('summary')?.focus()
  }
  useEffect(() => {
    if (!isOpen) return
    const life = new AbortController()
    const { signal } = life
    const elsewhere = ({ target }: Event): void => {
      if (!(target instanceof Node) || menu.current?.contains(target) !== true) setOpen(false)
    }
    document.addEventListener('pointerdown', elsewhere, { signal })
    document.addEventListener('focusin', elsewhere, { signal })
    document.addEventListener(
      'keydown',
      ({ key }) => {
        if (key === 'Escape') leave()
      },
      { signal },
    )
    return () => life.abort()
  }, [isOpen])
  return (
    <details
      class={isButton ? 'menu is-button' : 'menu'}
      ref={menu}
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary aria-label={label}>{face}</summary>
      <div onClick={leave}>{children}</div>
    </details>
  )
}
