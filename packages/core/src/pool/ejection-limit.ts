import type { Member } from './member.ts'

/**
 * Whether requests alone may take `member` out: at most half of the backends, and none unless another backend does
 * better. When all are silent, using fewer of them gains nothing, so the ejected ones return and are tried again.
 */
export function mayEject(member: Member, members: readonly Member[]): boolean {
  const others = members.filter(other => other !== member)
  const out = others.filter(({ passive }) => passive?.isOut === true)
  if (others.some(({ isUsable, passive }) => isUsable && passive?.isWell === true))
    return 2 * (out.length + 1) <= members.length
  for (const other of out) other.readmit()
  return false
}
