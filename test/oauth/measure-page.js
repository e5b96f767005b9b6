/* Runs inside a page under test: what a screen reader, a small screen and weak eyes would stumble over. An expression. */
/* oxlint-disable unicorn/consistent-function-scoping -- it must be one expression */
;(() => {
  const visible = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 1
  const nameless = [...document.querySelectorAll('input:not([type=hidden]), button, a, summary')].filter((element) => {
    const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : []
    const text =
      element.getAttribute('aria-label') ?? [...labels, element].map(({ textContent }) => textContent).join('')
    return visible(element) && text.trim() === ''
  })
  const small = [
    ...document.querySelectorAll('button, a.button, summary, input:not([type=hidden]):not([type=radio])'),
  ].filter((element) => visible(element) && element.getBoundingClientRect().height < 40)
  const luminance = (colour) => {
    const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => {
      const c = Number(part) / 255
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    if (element === null) return 'rgb(255, 255, 255)'
    const { backgroundColor } = getComputedStyle(element)
    return backgroundColor === 'rgba(0, 0, 0, 0)' ? behind(element.parentElement) : backgroundColor
  }
  const contrasts = [...document.querySelectorAll('h1, h2, p, span, label, button, a, li, summary, time, legend')]
    .filter((element) => visible(element) && element.textContent.trim() !== '' && element.ariaHidden !== 'true')
    .map((element) => {
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
      return {
        text: element.textContent.trim().slice(0, 30),
        ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
      }
    })
  return {
    nameless: nameless.map(({ outerHTML }) => outerHTML),
    small: small.map(({ outerHTML }) => outerHTML),
    faint: contrasts.filter(({ ratio }) => ratio < 4.5),
    headings: document.querySelectorAll('h1').length,
    main: document.querySelectorAll('main').length,
    language: document.documentElement.lang,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ids: [...document.querySelectorAll('[id]')].map(({ id }) => id).filter((id, at, all) => all.indexOf(id) !== at),
  }
})()
