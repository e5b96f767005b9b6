/** The types of what `index.js` exports: the one class of `googleapis` that `actions-on-google` uses. */
import type { JWT as AuthJWT } from 'google-auth-library'

export declare const google: {
  readonly auth: {
    readonly JWT: new (
      email?: string,
      keyFile?: string,
      key?: string,
      scopes?: string | string[],
      subject?: string,
    ) => AuthJWT
  }
}
