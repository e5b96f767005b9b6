/** Where notifications may be sent: a browser names the address, and the bridge asks no address on behalf of whoever it is. */

/** The services of Chrome, Edge and Samsung (Google, Microsoft), Firefox (Mozilla) and Safari (Apple); names below them, too. */
const known = ['fcm.googleapis.com', 'push.services.mozilla.com', 'push.apple.com', 'notify.windows.com']

/** Whether an endpoint is of one of these or of `more`, by https on its own port: no address and no name of the house is. */
export function isPushService(endpoint: string, more: readonly string[]): boolean {
  const url = URL.parse(endpoint)
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return false
  if (more.includes(url.host)) return true
  return url.port === '' && known.some((host) => url.hostname === host || url.hostname.endsWith(`.${host}`))
}
