/** Assignable to an object whose keys follow a pattern, and to none that must have a key. */
type NoKeys = { [K in never]: K }

/** The type of options as they stand in a file: plain values, which a draft of a file may change. */
export type Written<T> = T extends URL | ((...args: never[]) => unknown)
  ? never
  : T extends string
    ? // A text of a pattern, as a duration, is any text to a program that makes one.
      NoKeys extends Record<T, 1>
      ? string
      : T
    : T extends number | boolean | null | undefined
      ? T
      : T extends readonly (infer Item)[]
        ? Written<Item>[]
        : { -readonly [K in keyof T]: Written<T[K]> }
