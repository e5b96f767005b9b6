/**
 * Amazon's and Google's clouds for a display that is a browser: it links accounts through the real pages and speaks
 * directives and intents to the bridge over HTTP, while the browser has the media. Mounted at `/simulator`.
 */

import express, { type RequestHandler, Router } from 'express'
import type { Clock, Log } from 'transom-core/ports'
import type { DisplayEvent } from 'transom-core/wire/api'
import { linkRequest, type Links, type LinkStart } from 'transom-core/wire/displays'
import { type AccountLinks, createAccountLinks } from './account-links.ts'
import { createAlexa } from './alexa.ts'
import type { Announcements } from './announcements.ts'
import { type AccountOf, bearerOf } from './bearer.ts'
import { toCallError } from './causes.ts'
import type { DirectiveDoor } from './directive.ts'
import { createEchoSessions, type EchoSessions } from './echo-sessions.ts'
import { createGoogle } from './google.ts'
import type { Link } from './link.ts'
import { assistantNames, type AssistantName, type ClientSettings } from './settings.ts'
import { createViews, parse, prepareMs, soon, type Views, type Visit } from './views.ts'

/** The bridge that is played against, and how the page's and the assistants' tokens are checked. */
export interface SimulatorCloudDeps extends DirectiveDoor {
  /** The bridge as a browser reaches it; `bridge` is how this machine does. */
  readonly publicUrl: string
  /** The OAuth clients of the two; `linkedUri` is among their redirect URIs. */
  readonly clients: Readonly<Record<AssistantName, Omit<ClientSettings, 'redirectUri'>>>
  /** Whose the page's token is. Throws `BridgeError` `unauthorized` for a token that is not the page's. */
  readonly pageAccount: AccountOf
  /** Whose an assistant's token is. */
  readonly linkAccount: AccountOf
  readonly announcements: Announcements
  /** A code for AcceptGrant, where we are the Amazon that the bridge sends its events to. */
  readonly grantCode?: (account: string) => string
  readonly clock: Clock
  readonly log: Log
}

/** The simulated clouds: routes for the page, and what their displays are told. */
export interface SimulatorCloud {
  readonly router: Router
  /** Tells what the displays of an account are told. Returns how to stop. */
  hear(this: void, account: string, tell: (event: DisplayEvent) => void): () => void
  /** Hangs up, and ends the links at the bridge, which must still be there. */
  close(): Promise<void>
}

/** An SDP offer is at most 64 KiB. */
const bodyLimit = '256kb'
/**
 * Makes the clouds of both assistants. Nothing is asked of the bridge before a request of the page. Refusals are
 * thrown as `BridgeError` for the application's own handler; a view that fails is answered with its steps.
 */
export function createSimulatorCloud(deps: SimulatorCloudDeps): SimulatorCloud {
  const { bridge, forwarderSecret, announcements, log } = deps
  const links = createAccountLinks({ ...deps, accountOf: deps.linkAccount, welcome })
  const echoes = createEchoSessions({ bridge, forwarderSecret, log })
  const views = createViews({ ...deps, links, echoes })

  /** What Amazon and Google do with a new link: ask for leave to be sent events, look what devices there are. */
  async function welcome(account: string, assistant: AssistantName, link: Link, signal: AbortSignal): Promise<void> {
    const tools = { bridge, forwarderSecret, accessToken: link.accessToken, note: () => undefined }
    if (assistant === 'google') await createGoogle(tools).discover(signal)
    else if (deps.grantCode !== undefined) await createAlexa(tools).acceptGrant?.(deps.grantCode(account), signal)
  }

  async function isLinked(account: string, assistant: AssistantName): Promise<boolean> {
    try {
      await soon((signal) => links.fresh(account, assistant, signal))
      return true
    } catch (thrown) {
      if (toCallError(thrown).code === 'not_linked') return false
      throw thrown
    }
  }

  return {
    router: routesOf({ ...deps, links, echoes, views, isLinked }),
    hear: (account, tell) => announcements.listen(account, tell),
    async close() {
      await echoes.close()
      await links.close()
    },
  }
}

interface RoutesDeps extends Pick<SimulatorCloudDeps, 'publicUrl' | 'pageAccount'> {
  readonly links: AccountLinks
  readonly echoes: EchoSessions
  readonly views: Views
  readonly isLinked: (account: string, assistant: AssistantName) => Promise<boolean>
}

function routesOf({ publicUrl, pageAccount, links, echoes, views, isLinked }: RoutesDeps): Router {
  const router = Router()
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store')
    next()
  })

  // Where the window comes back to from the pages: it has no token, but a state that was given out once.
  for (const assistant of assistantNames) {
    router.get(`/${assistant}/linked`, async (request, response) => {
      const query = new URL(request.originalUrl, publicUrl).searchParams
      const route = await links.complete(assistant, query, AbortSignal.timeout(prepareMs))
      response.set('Referrer-Policy', 'no-referrer').redirect(303, `${publicUrl}/${route}`)
    })
  }

  const visit =
    (work: (visit: Visit) => Promise<void>): RequestHandler =>
    async (request, response) =>
      work({ request, response, account: await pageAccount(bearerOf(request)) })

  router.use(express.json({ limit: bodyLimit }))
  router.get(
    '/state',
    visit(async ({ response, account }) => {
      const [alexa, google] = await Promise.all([isLinked(account, 'alexa'), isLinked(account, 'google')])
      response.json({ alexa: { linked: alexa }, google: { linked: google } } satisfies Links)
    }),
  )
  for (const assistant of assistantNames) {
    router.post(
      `/${assistant}/link`,
      visit(async ({ request, response, account }) => {
        response.json({
          url: links.begin(account, assistant, parse(linkRequest, request).returnTo),
        } satisfies LinkStart)
      }),
    )
    router.post(
      `/${assistant}/sessions`,
      visit((given) => views.show(assistant, given)),
    )
  }
  router.post('/alexa/sessions/:reference/offer', visit(views.offer))
  router.post(
    '/alexa/sessions/:reference/connected',
    visit(async ({ request, response, account }) => {
      await views.sessionOf(request, account).connected()
      response.status(204).end()
    }),
  )
  router.post(
    '/alexa/sessions/:reference/end',
    visit(async ({ request, response, account }) => {
      await echoes.find(account, String(request.params['reference']))?.end()
      response.status(204).end()
    }),
  )
  return router
}
