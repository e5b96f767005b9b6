/** How views went in the last 30 days: a line for each assistant, and a small chart by day. */
import { useEffect, useState } from 'preact/hooks'
import type { DayFigures, Figures as Told } from 'transom-core/wire/api'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { byDayOf, successOf } from '../figures.ts'
import { viewers } from '../sessions.ts'

/** Views are counted when they end; many may end together. */
const gatherMs = 2_000

export function Figures() {
  const { api, on, now } = useHouse()
  const { words, formats } = useLanguage()
  const { figures } = words
  const [told, setTold] = useState<Told>()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = (): void => {
      timer = undefined
      // Without them the page says no less than it did.
      api.figures().then(setTold, () => undefined)
    }
    look()
    const off = on('session', ({ phase }) => {
      if (phase === 'closed') timer ??= setTimeout(look, gatherMs)
    })
    return () => {
      clearTimeout(timer)
      off()
    }
  }, [])
  if (told === undefined) return <div class="figures card is-waiting" aria-hidden="true" />
  if (told.days.length === 0) return null
  const days = byDayOf(told.days, now.value)
  return (
    <section class="figures card" aria-label={figures.title}>
      <dl>
        {viewers.map((assistant) => {
          const rows = told.days.filter((row) => row.assistant === assistant)
          const share = successOf(rows)
          const picture = told.pictures.find((one) => one.assistant === assistant)
          if (rows.length === 0) return null
          return (
            <div key={assistant}>
              <dt>{assistant === 'console' ? words.thisPage : words.assistants[assistant]}</dt>
              <dd>
                {share !== undefined && <strong>{figures.succeeded(formats.percent(share))}</strong>}{' '}
                <span class="soft small">
                  {figures.of(viewsOf(rows))}
                  {picture && ` · ${figures.picture(formats.seconds(picture.p50Ms), formats.seconds(picture.p95Ms))}`}
                </span>
              </dd>
            </div>
          )
        })}
      </dl>
      <Chart days={days} label={figures.chart(days.reduce((sum, { failed }) => sum + failed, 0))} />
    </section>
  )
}

const viewsOf = (rows: readonly DayFigures[]): number =>
  rows.reduce((sum, { fine, unconfirmed, failed }) => sum + fine + unconfirmed + failed, 0)

function Chart({ days, label }: { readonly days: ReturnType<typeof byDayOf>; readonly label: string }) {
  const { words, formats } = useLanguage()
  const most = Math.max(1, ...days.map(({ fine, unconfirmed, failed }) => fine + unconfirmed + failed))
  return (
    <svg viewBox={`0 0 ${days.length * 10} 40`} role="img" aria-label={label} preserveAspectRatio="none">
      {days.map((day, index) => {
        const heights = kinds.map((kind) => ({ kind, height: (day[kind] / most) * 40 }))
        let top = 40
        return (
          <g key={day.at}>
            <title>{`${formats.dateOf(day.at)}: ${kinds.map((kind) => `${words.outcomes[kind]} ${day[kind]}`).join(' · ')}`}</title>
            {heights.map(({ kind, height }) => (
              <rect key={kind} class={kind} x={index * 10 + 1} y={(top -= height)} width={8} height={height} />
            ))}
          </g>
        )
      })}
    </svg>
  )
}

const kinds = ['fine', 'unconfirmed', 'failed'] as const
