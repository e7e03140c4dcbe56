import { detached } from './detached.ts'

/**
 * Results of verified signed values, so that the next request with the same value costs no HMAC. Only valid values
 * belong here: then a flood of forged ones evicts none.
 */
export interface ValueMemory<T> {
  /** @param signatureEnd where the signature ends in `value` */
  get(value: string, signatureEnd: number): T | undefined
  /** @param content holds no slice of `value`: a slice keeps the header alive that the value was cut from */
  set(value: string, signatureEnd: number, content: T): void
}

interface Remembered<T> {
  readonly value: string
  readonly content: T
}

/**
 * How much of a value is looked up by: the end of its signature, which is as good as random, and short enough for V8
 * to copy. All of it would have to be hashed anew for each request; comparing it costs a tenth of that.
 */
const KEY_LENGTH = 12

/**
 * Two generations: a full young one becomes the old one, and entries that are used again move to the young one.
 * @param size how many at least; twice as many at most
 */
export function valueMemory<T>(size: number): ValueMemory<T> {
  let young = new Map<string, Remembered<T>>()
  let old = new Map<string, Remembered<T>>()

  function keep(key: string, remembered: Remembered<T>): void {
    if (young.size >= size) {
      old = young
      young = new Map()
    }
    young.set(key, remembered)
  }

  return {
    get(value, signatureEnd) {
      const key = value.slice(signatureEnd - KEY_LENGTH, signatureEnd)
      let remembered = young.get(key)
      if (remembered === undefined) {
        remembered = old.get(key)
        if (remembered !== undefined) keep(detached(key), remembered)
      }
      return remembered !== undefined && remembered.value === value ? remembered.content : undefined
    },
    set(value, signatureEnd, content) {
      const own = detached(value)
      keep(own.slice(signatureEnd - KEY_LENGTH, signatureEnd), { value: own, content })
    },
  }
}
