/** Changes of cameras that a process made which cannot do what follows from them: kept for one that can. */
import type { Camera, Store } from 'transom-core/ports'
import type { OnCameraChange } from './cameras.ts'

/** Of each camera the last one. */
export interface UntoldChanges {
  readonly note: OnCameraChange
  /** Hands each of them over once. Rejects with the first that fails, which stays. */
  tell(what: OnCameraChange): Promise<void>
}

/** Reads and writes them in the store. */
export function createUntoldChanges(store: Store): UntoldChanges {
  const changes = store.collection<{ readonly camera: Camera; readonly kind: 'changed' | 'removed' }>('untold-change')
  return {
    async note(camera, kind) {
      await changes.put(camera.id, { camera, kind }, { group: 'all' })
    },
    async tell(what) {
      for await (const { id } of changes.all('all')) {
        const taken = await changes.take(id)
        if (taken === undefined) continue
        await what(taken.value.camera, taken.value.kind).catch(async (error: unknown) => {
          await changes.put(id, taken.value, { group: 'all', onlyIf: 'absent' })
          throw error
        })
      }
    },
  }
}
