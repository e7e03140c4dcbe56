import type { ErrorCode } from 'yaml'

/** Errors whose messages quote the file: these texts replace them. */
const QUOTING: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'an alias that is none, or has no anchor; a text that begins with * needs quotes',
  BAD_DIRECTIVE: 'a directive that is not known; a text that begins with % needs quotes',
  BAD_DQ_ESCAPE: 'an escape that is none; a text with \\ needs single quotes',
  BAD_SCALAR_START: 'a text that begins with a character of YAML; it needs quotes',
  BAD_COLLECTION_TYPE: 'a tag of another kind of value; a text that begins with ! needs quotes',
  TAG_RESOLVE_FAILED: 'a tag that is not known; a text that begins with ! needs quotes',
  UNEXPECTED_TOKEN: 'a character that is not expected here; look at quotes, brackets and indentation',
  RESOURCE_EXHAUSTION: 'more than a configuration can have',
  IMPOSSIBLE: 'something that is no YAML',
}

/** Errors whose messages are the same for all files. */
const PLAIN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(['ALIAS_PROPS', 'BAD_INDENT', 'BLOCK_AS_IMPLICIT_KEY', 'BLOCK_IN_FLOW', 'DUPLICATE_KEY'] as const),
  ...(['KEY_OVER_1024_CHARS', 'MISSING_CHAR', 'MULTILINE_IMPLICIT_KEY', 'MULTIPLE_ANCHORS'] as const),
  ...(['MULTIPLE_DOCS', 'MULTIPLE_TAGS', 'NON_STRING_KEY', 'TAB_AS_INDENT'] as const),
])

/** The problem of a text that is no YAML, without quoting it. */
export function syntaxProblem(code: ErrorCode, message: string): string {
  return QUOTING[code] ?? (PLAIN.has(code) ? message : `it is not YAML (${code})`)
}
