/** Under which key the store keeps a token, a code or a session: never under the secret itself. */
import { hash } from 'node:crypto'

/** The SHA-256 of the secret. */
export const secretKey = (id: string): string => hash('sha256', id, 'base64url')
