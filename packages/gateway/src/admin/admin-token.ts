import { HOW_TO_MAKE_ONE, isFailedReference } from '@limpet/core/signing'

/** A token that was made at random has more than enough of both. */
const MIN_LENGTH = 16
const MIN_DIFFERENT = 5

/** The problem with `token` as the token of the admin port, without its text; undefined when it is valid. */
export function tokenProblem(token: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(token))
    return `has blanks, or characters that no header field can carry; it takes at least ${MIN_LENGTH} visible ASCII characters; ${HOW_TO_MAKE_ONE}`
  if (isFailedReference(token))
    return `is a placeholder, or a reference that was not replaced; it takes a random text; ${HOW_TO_MAKE_ONE}`
  if (token.length < MIN_LENGTH)
    return `has ${token.length} characters; it takes at least ${MIN_LENGTH}; ${HOW_TO_MAKE_ONE}`
  if (new Set(token).size < MIN_DIFFERENT || /^(.{1,8})\1+$/.test(token))
    return `repeats few characters; it takes a random text; ${HOW_TO_MAKE_ONE}`
  return undefined
}
