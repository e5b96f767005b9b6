import type { Camera } from '../api.ts'

/** The STUN and TURN servers that give the camera nothing, and what that means. */
export function FailedServers({ servers }: { readonly servers: NonNullable<Camera['failedServers']> }) {
  return (
    <section class="cause" aria-label="Servers that fail">
      <p class="code">No address from {servers.length === 1 ? 'a server' : `${servers.length} servers`}</p>
      {servers.map(({ url, message }) => (
        <p class="why" key={url}>
          {url}: {message}
        </p>
      ))}
      <p>
        Displays in other networks may get no picture. Check the address, the password and the firewall of the server
        (TRANSOM_ICE_SERVERS, TRANSOM_TURN_URLS).
      </p>
    </section>
  )
}
