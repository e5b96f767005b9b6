/** `transom-player.js`: everything a page needs to show a camera of a bridge. Loading it defines `<transom-player>`. */
import { TransomPlayer } from './element.ts'

export {
  connectDisplay,
  type Display,
  type DisplayOptions,
  type IceServer,
  type PlayerStep,
  type PlayerStepName,
} from './display.ts'
export { TransomPlayer } from './element.ts'
export { holdToTalk } from './hold-to-talk.ts'
export { createPlayer, type Player, type PlayerEvents, type PlayerOptions, type PlayerState } from './player.ts'
export { PlayerError, problemIn, problemOf, type Problem } from './problem.ts'
export type { PlayerStats } from './stats.ts'
export type { PlayerRemark } from './view.ts'

// Two copies on one page are one too many, but no reason to fail.
if (customElements.get('transom-player') === undefined) customElements.define('transom-player', TransomPlayer)
