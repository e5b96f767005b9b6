/** What is there to be copied, with a button that copies it. */
import type { RefObject } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { useLanguage } from '../language/language.ts'
import { Icon } from './icon.tsx'

/** One row of a `dl`: a name, and the text that it stands for. */
export function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Copied as="code" text={value} what={name} />
      </dd>
    </div>
  )
}

interface CopiedProps {
  readonly as: 'code' | 'pre'
  readonly text: string
  readonly what: string
}

/** A text, and a button that copies it. */
export function Copied({ as: Tag, text, what }: CopiedProps) {
  const { common } = useLanguage().words
  const shown = useRef<HTMLElement>(null)
  const [isCopied, setCopied] = useState(false)
  async function copy(): Promise<void> {
    // A browser gives no clipboard at plain http addresses, and may be told to refuse it.
    const isDone =
      'clipboard' in navigator &&
      (await navigator.clipboard.writeText(text).then(
        () => true,
        () => false,
      ))
    setCopied(isDone || copyMarked(shown.current))
  }
  return (
    <>
      <Tag ref={shown as RefObject<HTMLPreElement>} {...(Tag === 'pre' && { tabIndex: 0 })}>
        {text}
      </Tag>
      <button
        type="button"
        class="round"
        aria-label={isCopied ? common.copied(what) : common.copy(what)}
        onClick={() => void copy()}
      >
        <Icon name={isCopied ? 'check' : 'copy'} />
      </button>
    </>
  )
}

/** The old way, which also works there. Where it does not, the text is marked, to be copied by hand. */
function copyMarked(element: HTMLElement | null): boolean {
  if (element === null) return false
  getSelection()?.selectAllChildren(element)
  return document.execCommand('copy')
}
