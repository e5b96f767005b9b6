/**
 * Starts Transom as an add-on: `node run.mjs OPTIONS PROGRAM`. Options become settings, the broker of Home Assistant's MQTT
 * service that of the bridge, and root an ordinary user.
 */
import { lchownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** `node` in Node's image. */
const userId = 1000
const serviceMs = 10_000

const [, , optionsPath, program] = process.argv
const settings = settingsOf(JSON.parse(readFileSync(optionsPath, 'utf8')))
const mqttUrl = settings.TRANSOM_MQTT_URL === undefined ? await mqttService() : undefined
Object.assign(process.env, settings, mqttUrl && { TRANSOM_MQTT_URL: mqttUrl })
takeData(process.env.TRANSOM_DATA)
// transom.yaml and .env of whoever builds the image are not read.
process.chdir(process.env.TRANSOM_DATA)
process.argv.splice(1, 3, program)
await import(pathToFileURL(program).href)

/** `public_url` is `TRANSOM_PUBLIC_URL`; what is empty is not set. */
function settingsOf(options) {
  const set = Object.entries(options).filter(([, value]) => value !== '' && value !== null)
  return Object.fromEntries(
    set.map(([name, value]) => {
      const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
      return [`TRANSOM_${name.toUpperCase()}`, text]
    }),
  )
}

/** The broker that the Supervisor offers (`GET /services/mqtt`); undefined where there is none. */
async function mqttService() {
  const { SUPERVISOR_URL = 'http://supervisor', SUPERVISOR_TOKEN } = process.env
  if (SUPERVISOR_TOKEN === undefined) return undefined
  try {
    const response = await fetch(`${SUPERVISOR_URL}/services/mqtt`, {
      headers: { authorization: `Bearer ${SUPERVISOR_TOKEN}` },
      signal: AbortSignal.timeout(serviceMs),
    })
    if (!response.ok) return undefined
    const { host, port, ssl, username, password } = (await response.json()).data
    const user = username ? `${encodeURIComponent(username)}:${encodeURIComponent(password ?? '')}@` : ''
    return `${ssl ? 'mqtts' : 'mqtt'}://${user}${host}:${port}`
  } catch (error) {
    console.error(`The MQTT service of Home Assistant could not be asked for: ${error.message}`)
    return undefined
  }
}

/** Makes the data directory, and from here on is a user who may write there and nowhere else. */
function takeData(directory) {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (process.getuid() !== 0) return
  // Also what a backup brought back.
  if (statSync(directory).uid !== userId) {
    for (const file of readdirSync(directory, { recursive: true })) lchownSync(join(directory, file), userId, userId)
    lchownSync(directory, userId, userId)
  }
  process.setgroups([])
  process.setgid(userId)
  process.setuid(userId)
}
