/** Texts in the place of a secret that are none: references that were not replaced, and placeholders of examples. */
const PATTERNS: readonly RegExp[] = [
  // Shells, Compose and CI: ${NAME}, $NAME, $(command). Templates: {{ name }}, <name>, %NAME%.
  /\$\{[^}]*\}|\$\([^)]*\)|\{\{[^}]*\}\}/,
  /^["']?\$[A-Za-z_]\w*["']?$/,
  /^["']?[<%][^<>%]*[>%]["']?$/,
  // Code and files of configuration: process.env.NAME, import.meta.env.NAME, env.NAME, env:NAME, file:PATH.
  /^["']?(?:process\.|import\.meta\.)?env(?:\.|:|\[)/i,
  /^["']?file:/i,
  // The name of a variable instead of its value.
  /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/,
  // A value that was absent when it was made a text.
  /^(?:undefined|null|NaN|\[object \w+\])$/,
  /^(?:change|replace)[-_ ]?(?:me|this)|^your[-_ ]|^todo\b/i,
]

/**
 * Whether a text that is meant to be a secret is a reference that was not replaced, as `${LIMPET_SECRET}`, or the
 * placeholder of an example, as `changeme`. Such a text is public.
 */
export function isFailedReference(text: string): boolean {
  return PATTERNS.some(pattern => pattern.test(text))
}
