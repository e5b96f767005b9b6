import { languageNames, useLanguages } from '../language/language.ts'

/** Changes the language of the page for this browser. */
export function LanguageChoice() {
  const { spoken, choose } = useLanguages()
  const { language, words } = spoken.value
  return (
    <p class="languages" role="group" aria-label={words.frame.language}>
      {languageNames.map(([one, name]) => (
        <button
          key={one}
          type="button"
          class="link"
          lang={one}
          aria-pressed={one === language}
          onClick={() => choose(one)}
        >
          {name}
        </button>
      ))}
    </p>
  )
}
