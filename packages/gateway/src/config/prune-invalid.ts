import type { z } from 'zod'

type Path = readonly PropertyKey[]

/** In each, what was left by the one before is looked through. */
const MAX_ROUNDS = 8

/**
 * The valid part of a value that a schema refuses, so that its other problems can be found; undefined when too
 * little is left.
 */
export function salvage<T>(schema: z.ZodType<T>, value: unknown, error: z.ZodError): T | undefined {
  const rest = structuredClone(value)
  let { issues } = error
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    for (const issue of issues) {
      if (issue.code === 'unrecognized_keys') for (const key of issue.keys) remove(rest, [...issue.path, key])
      else remove(rest, issue.path)
    }
    const parsed = schema.safeParse(rest)
    if (parsed.success) return parsed.data
    ;({ issues } = parsed.error)
  }
  return undefined
}

/** Takes out what stands at `path`; what is not there is wanted, so what it is wanted for goes. */
function remove(root: unknown, path: Path): void {
  const key = path.at(-1)
  if (key === undefined) return
  const holder = path.slice(0, -1).reduce<unknown>(inside, root)
  // Taken out already, with a mistake beside this one.
  if (holder === undefined) return
  const isPlain = typeof holder === 'object' && holder !== null && !Array.isArray(holder)
  if (isPlain && key in holder) Reflect.deleteProperty(holder, key)
  // The others of a list would change their places.
  else remove(root, path.slice(0, -1))
}

function inside(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
