/** A store whose verbs a test watches, delays or breaks: `change` and `all` go through what was put in their way, too. */
import type { BasicCollection, Store } from '../../src/core/ports.ts'
import { createTurns, withVerbs } from '../../src/core/store/verbs.ts'

/** `wrap` makes the verbs of each kind; it may give back those it was given. */
export function wrapped(
  store: Store,
  wrap: <T>(kind: string, records: BasicCollection<T>) => BasicCollection<T>,
): Store {
  const inTurn = createTurns()
  return {
    collection: <T>(kind: string) => withVerbs(kind, wrap(kind, store.collection<T>(kind)), inTurn),
    close: () => store.close(),
  }
}
