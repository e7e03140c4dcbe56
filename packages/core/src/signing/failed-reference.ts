/** Texts that stand for a secret and are none: what is left of a reference that was not replaced, and of examples. */
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
 * placeholder of an example, as `changeme`. All who read the same example know it.
 */
export function isFailedReference(text: string): boolean {
  return PATTERNS.some(pattern => pattern.test(text))
}
