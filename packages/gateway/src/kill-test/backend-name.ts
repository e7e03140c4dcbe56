/** Different names that may be backends; more of them are something else, such as ids of requests. */
export const MAX_BACKENDS = 100

/** Names go to hooks and terminals, and come from the target: a name that could be an option or a command is none. */
const NAME = /^[\w.:@/[\]+=~][\w.:@/[\]+=~-]{0,199}$/

/** The name of a backend, as a response has it; undefined when it is no name. */
export function backendName(value: string | undefined): string | undefined {
  return value !== undefined && NAME.test(value) ? value : undefined
}
