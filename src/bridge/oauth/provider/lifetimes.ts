/** How long people stay signed in and links last, in seconds. */

const hour = 3_600
/** Of who is signed in to these pages. */
export const sessionLifetime = hour
/** Of whoever signed in to our own page; its last access token lives a little longer. */
export const signedInLifetime = 24 * hour
/**
 * A hundred years: both assistants treat a refused refresh as the end of the link, so refresh tokens must not age, and
 * the grant must outlive them (google-home.md section 5.2).
 */
export const linkLifetime = 100 * 365 * 24 * hour
