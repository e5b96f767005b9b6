/** The memory for the latest pictures of all cameras of a gateway: when it is full, the group that began first is dropped. */

/** MB (2^20 bytes), where no setting says otherwise. */
export const defaultPictureMegabytes = 128

/** The memory of one gateway, shared by its cameras. */
export interface PictureMemory {
  /** A place in it for one camera, whose group of pictures is dropped by `forget`, which calls `end`. */
  open(forget: () => void): HeldPictures
}

/** What one camera keeps. */
export interface HeldPictures {
  /** Its group is larger by so many bytes; the first of them begin it. Another camera's group, or its own, may be dropped for them. */
  add(bytes: number): void
  /** Its group is dropped. May be called again. */
  end(): void
}

/** A memory of so many bytes. */
export function createPictureMemory(mostBytes = defaultPictureMegabytes * 1_024 * 1_024): PictureMemory {
  /** In the order in which their groups began. */
  const groups = new Map<() => void, number>()
  let total = 0
  return {
    open: (forget) => ({
      add(bytes) {
        groups.set(forget, (groups.get(forget) ?? 0) + bytes)
        total += bytes
        for (const drop of groups.keys()) {
          if (total <= mostBytes) return
          drop()
        }
      },
      end() {
        total -= groups.get(forget) ?? 0
        groups.delete(forget)
      },
    }),
  }
}
