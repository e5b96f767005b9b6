import type { Camera } from '../api.ts'
import { useLanguage } from '../language/language.ts'

/** The STUN and TURN servers that give the camera nothing, and what that means. */
export function FailedServers({ servers }: { readonly servers: NonNullable<Camera['failedServers']> }) {
  const { cause } = useLanguage().words
  return (
    <section class="cause" aria-label={cause.servers}>
      <p class="code">{cause.noAddress(servers.length)}</p>
      {servers.map(({ url, message }) => (
        <p class="why" key={url}>
          {url}: <span lang="en">{message}</span>
        </p>
      ))}
      <p>{cause.serversAdvice}</p>
    </section>
  )
}
