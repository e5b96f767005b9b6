/** As much of the `onvif` library as the tests call; it comes without types. */
declare module 'onvif' {
  interface Options {
    readonly hostname: string
    readonly port: number
    readonly username: string
    readonly password: string
    readonly timeout: number
  }
  export class Cam {
    constructor(options: Options, done: (error: Error | null) => void)
    getStreamUri(
      options: { readonly protocol: string; readonly profileToken: string },
      done: (error: Error | null, found: { uri: string }) => void,
    ): void
  }
}
