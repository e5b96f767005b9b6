/** Line drawings of 24 × 24. */

const paths = {
  live: 'M8 5.5v13l11-6.5z',
  bell: 'M6 16.5v-5.5a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 20.5a2.2 2.2 0 0 0 4 0',
  echo: 'M4 5.5h16v10.5H4zM8 19.5h8M9.5 16l-1 3.5M14.5 16l1 3.5',
  hub: 'M3.5 4.5h17v11h-17zM7 19.5h10l-1.6-4H8.6z',
  more: 'M12 5.6v.1M12 12v.1M12 18.4v.1',
  plus: 'M12 5v14M5 12h14',
  back: 'M14.5 5.5 8 12l6.5 6.5',
  copy: 'M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9',
  check: 'M5 12.5 10 17.5 19.5 7',
  close: 'M6 6l12 12M18 6 6 18',
  microphone: 'M12 3.5a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0v-5a3 3 0 0 0-3-3zM6 11.5a6 6 0 0 0 12 0M12 17.5v3',
  person: 'M12 11.5a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6zM4.5 20a7.5 7.5 0 0 1 15 0',
  motion: 'M4 8c2-2.500 4-2.500 6 0s4 2.500 6 0 3-2.500 4-2M4 16c2-2.500 4-2.500 6 0s4 2.500 6 0 3-2.500 4-2',
  stop: 'M6 6h12v12H6z',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6z',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1',
} as const

export function Icon({ name }: { readonly name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
