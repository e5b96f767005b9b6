import { hrefs } from '../route.ts'

/** A transom: the window above a door. */
export function Brand() {
  return (
    <a class="brand" href={hrefs.cameras}>
      <svg viewBox="0 0 32 20" aria-hidden="true">
        <path d="M2 18a14 14 0 0 1 28 0ZM11 18a5 5 0 0 1 10 0M16 4v9M6.5 8.5l5.7 6M25.5 8.5l-5.7 6" />
      </svg>
      Transom
    </a>
  )
}
