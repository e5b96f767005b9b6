/** Which Transom this is. */

/** The version of every package and of the API, as `GET /version` and `transom version` say it. */
export const version = '0.1.0'
