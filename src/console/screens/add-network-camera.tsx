/** A network camera by its address: probed with a picture first, then named and saved. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { FoundCameras, Restreams, SourceProbe } from 'transom-core/wire/source'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { ProbeResult } from '../parts/probe-result.tsx'
import { useToast } from '../parts/toast.tsx'
import { useForm } from '../parts/use-form.ts'

export type Way = 'found' | 'address' | 'restream'

interface Given {
  readonly address: string
  readonly user?: string
  readonly password?: string
}

/** What is to be shown: where to look, or what was found there. */
type Step =
  | { readonly step: 'ask'; readonly address: string }
  | { readonly step: 'pick'; readonly choices: readonly Choice[]; readonly given?: Given }
  | { readonly step: 'result'; readonly probe: SourceProbe; readonly given: Given; readonly name: string }

interface Choice {
  readonly address: string
  readonly name: string
}

export function AddNetworkCamera({ way, onClose }: { readonly way: Way; readonly onClose: () => void }) {
  const [shown, show] = useState<Step>({ step: way === 'found' ? 'pick' : 'ask', address: '', choices: [] })
  if (shown.step === 'result') return <Save {...shown} onClose={onClose} />
  if (shown.step === 'pick' && way === 'found')
    return <Found onPick={({ address }) => show({ step: 'ask', address })} />
  if (shown.step === 'pick') return <Streams {...shown} show={show} />
  return <Ask key={shown.address} isRestream={way === 'restream'} address={shown.address} show={show} />
}

function Found({ onPick }: { readonly onPick: (choice: Choice) => void }) {
  const { api } = useHouse()
  const { add } = useLanguage().words
  const [found, setFound] = useState<FoundCameras['cameras']>()
  const [problem, setProblem] = useState<Problem>()
  useEffect(() => {
    const leaving = new AbortController()
    api.discover(leaving.signal).then(
      ({ cameras }) => setFound(cameras),
      (error: unknown) => leaving.signal.aborted || setProblem(problemOf(error)),
    )
    return () => leaving.abort()
  }, [])
  if (problem) return <Alert problem={problem} />
  if (found === undefined) return <p role="status">{add.searching}</p>
  if (found.length === 0) return <p role="status">{add.noneFound}</p>
  return (
    <Choices
      choices={found.map(({ address, name, hardware }) => ({ address, name: name ?? hardware ?? address }))}
      onPick={onPick}
    />
  )
}

function Choices({
  choices,
  onPick,
}: {
  readonly choices: readonly Choice[]
  readonly onPick: (choice: Choice) => void
}) {
  return (
    <ul class="choices">
      {choices.map((choice) => (
        <li key={choice.address}>
          <button type="button" class="button" onClick={() => onPick(choice)}>
            <span>{choice.name}</span> <span class="soft">{choice.address}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

interface AskProps {
  readonly isRestream: boolean
  readonly address: string
  readonly show: (step: Step) => void
}

function Ask({ isRestream, address, show }: AskProps) {
  const probe = useProbe(show)
  const { api } = useHouse()
  const { add, common } = useLanguage().words
  const { isBusy, problem, onSubmit } = useForm(async (fields) => {
    const given = readGiven(fields)
    if (!isRestream) return probe(given, '')
    const { streams }: Restreams = await api.restreams(given)
    show({ step: 'pick', choices: streams, given })
  })
  return (
    <form onSubmit={onSubmit}>
      <label>
        {isRestream ? add.baseUrl : common.address}
        <input
          name="address"
          required
          maxLength={2048}
          autoComplete="off"
          spellcheck={false}
          defaultValue={address}
          placeholder={isRestream ? add.exampleBaseUrl : add.exampleAddress}
        />
      </label>
      <label>
        {common.user} <span class="soft">{add.ifItHasOne}</span>
        <input name="user" maxLength={256} autoComplete="off" spellcheck={false} />
      </label>
      <label>
        {common.password}
        <input name="password" type="password" maxLength={256} autoComplete="off" />
      </label>
      {problem && <Alert problem={problem} />}
      {isBusy && <p role="status">{isRestream ? add.listing : add.looking}</p>}
      <div class="actions">
        <button type="submit" class="button primary" aria-disabled={isBusy}>
          {isRestream ? add.list : add.look}
        </button>
      </div>
    </form>
  )
}

function Streams({ choices, given, show }: Extract<Step, { step: 'pick' }> & Pick<AskProps, 'show'>) {
  const probe = useProbe(show)
  const { add } = useLanguage().words
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  async function pick({ address, name }: Choice): Promise<void> {
    if (isBusy) return
    setBusy(true)
    setProblem(undefined)
    await probe({ ...given, address }, name).catch((error: unknown) => setProblem(problemOf(error)))
    setBusy(false)
  }
  if (choices.length === 0) return <p role="status">{add.noStreams}</p>
  return (
    <>
      <Choices choices={choices} onPick={(choice) => void pick(choice)} />
      {isBusy && <p role="status">{add.looking}</p>}
      {problem && <Alert problem={problem} />}
    </>
  )
}

/** Ends with the dialog: whoever leaves waits for nothing, and the camera is let go. */
function useProbe(show: (step: Step) => void) {
  const { api } = useHouse()
  const leaving = useRef(new AbortController())
  useEffect(() => () => leaving.current.abort(), [])
  return async (given: Given, name: string): Promise<void> => {
    const probe = await api.probe(given, leaving.current.signal)
    show({ step: 'result', probe, given, name })
  }
}

function readGiven(fields: FormData): Given {
  const [address, user, password] = ['address', 'user', 'password'].map((name) => {
    const value = fields.get(name)
    return typeof value === 'string' ? value : ''
  }) as [string, string, string]
  return { address: address.trim(), ...(user !== '' && { user, password }) }
}

type SaveProps = Extract<Step, { step: 'result' }> & { readonly onClose: () => void }

function Save({ probe, given, name: suggested, onClose }: SaveProps) {
  const { api, cameras, reload } = useHouse()
  const { add, common } = useLanguage().words
  const { say } = useToast()
  const [name, setName] = useState(suggested)
  const { best, device, information } = probe
  const isTaken = cameras.value?.some((one) => one.name.toLowerCase() === name.trim().toLowerCase()) === true
  const { isBusy, problem, onSubmit } = useForm(async (fields) => {
    if (best === undefined) return
    const { manufacturer, model = add.networkCamera, firmwareVersion, serialNumber } = information
    await api.addCamera({
      name: name.trim(),
      kind: fields.get('kind') === 'camera' ? 'camera' : 'doorbell',
      model,
      ...(manufacturer !== undefined && { manufacturer }),
      ...(firmwareVersion !== undefined && { firmwareVersion }),
      ...(serialNumber !== undefined && { serialNumber }),
      ...(probe.events.includes('motion') && { hasMotion: true }),
      ...(probe.events.includes('person') && { detects: ['person'] }),
      // The stream's address is without the user that a given one may hold.
      source: {
        ...given,
        address: device === undefined ? given.address : best.url,
        ...(device !== undefined && { onvif: device }),
      },
    })
    await reload().catch(() => undefined)
    say(add.added(name.trim()))
    onClose()
  })
  return (
    <form onSubmit={onSubmit}>
      <ProbeResult probe={probe} />
      {best !== undefined && (
        <>
          <label>
            {common.name}
            <input
              name="name"
              required
              maxLength={128}
              autoComplete="off"
              value={name}
              onInput={({ currentTarget }) => setName(currentTarget.value)}
              placeholder={add.exampleNetworkName}
            />
          </label>
          {isTaken && name.trim() !== '' && (
            <p class="alert is-warning" role="status">
              {add.nameTaken}
            </p>
          )}
          <fieldset>
            <legend>{common.kind}</legend>
            <label class="choice">
              <input type="radio" name="kind" value="doorbell" defaultChecked={probe.events.includes('press')} />{' '}
              {common.kinds.doorbell}
            </label>
            <label class="choice">
              <input type="radio" name="kind" value="camera" defaultChecked={!probe.events.includes('press')} />{' '}
              {common.kinds.camera}
            </label>
          </fieldset>
        </>
      )}
      {problem && <Alert problem={problem} />}
      <div class="actions">
        <button type="button" class="button" onClick={onClose}>
          {common.cancel}
        </button>
        {best !== undefined && (
          <button type="submit" class="button primary" aria-disabled={isBusy}>
            {isTaken ? add.saveAnyway : common.save}
          </button>
        )}
      </div>
    </form>
  )
}
