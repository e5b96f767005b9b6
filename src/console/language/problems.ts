/** Problems of which the bridge, the simulator or this page says no more than a code and English words. */

/** By code. English has none: there they are shown as they come. */
export type Problems = Readonly<Record<string, { readonly message: string; readonly advice?: string }>>
