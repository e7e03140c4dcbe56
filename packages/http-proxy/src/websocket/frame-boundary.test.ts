import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameBoundary } from './frame-boundary.ts'

/** A frame (RFC 6455 §5.2), with its length in the given number of bytes. */
function frame(first: number, payload: Uint8Array, isMasked: boolean, wide: 0 | 2 | 8): Buffer {
  const { length } = payload
  const size = length > 65_535 ? 8 : length > 125 ? Math.max(wide, 2) : wide
  const head = Buffer.alloc(2 + size)
  head[0] = first
  head[1] = (isMasked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127)
  if (size === 2) head.writeUInt16BE(length, 2)
  if (size === 8) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, isMasked ? Buffer.from('mask') : Buffer.alloc(0), payload])
}

const TEXT = 0x01
const CONTINUATION = 0x00
const FINAL = 0x80
const CLOSE = 0x88
const PING = 0x89

const shapes = fc.record({
  payload: fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array(70_000))),
  isMasked: fc.boolean(),
  wide: fc.constantFrom<(0 | 2 | 8)[]>(0, 2, 8),
  /** A ping may stand before any frame. */
  hasPing: fc.boolean(),
})

/** Messages, each of one frame or more. */
const messages = fc.array(
  fc.array(shapes, { minLength: 1, maxLength: 4 }).map(parts =>
    Buffer.concat(
      parts.map(({ payload, isMasked, wide, hasPing }, index) => {
        const opcode = index === 0 ? TEXT : CONTINUATION
        const last = index === parts.length - 1 ? FINAL : 0
        // One before the first would stand alone, and end as a message does.
        const ping = hasPing && index > 0 ? frame(PING, Buffer.from('?'), isMasked, 0) : Buffer.alloc(0)
        return Buffer.concat([ping, frame(opcode | last, payload, isMasked, wide)])
      }),
    ),
  ),
  { maxLength: 6 },
)

describe('the boundary of messages', () => {
  it('is known after every byte, however they are cut', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }), (all, sizes) => {
        const bytes = Buffer.concat(all)
        const ends = new Set([0])
        for (const one of all) ends.add(Math.max(...ends) + one.length)
        const boundary = new FrameBoundary()
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1
          boundary.follow(bytes.subarray(at, at + size))
          at = Math.min(at + size, bytes.length)
          expect(boundary.isBetween).toBe(ends.has(at))
        }
        expect(boundary.isBetween).toBe(true)
      }),
    )
  })

  it('is where a message ends within a piece', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (all, cut) => {
        const bytes = Buffer.concat(all)
        const at = bytes.length === 0 ? 0 : cut % bytes.length
        const boundary = new FrameBoundary()
        boundary.follow(bytes.subarray(0, at))
        let end = 0
        for (const one of all) if (end <= at) end += one.length
        expect(boundary.followMessage(bytes.subarray(at)) + at).toBe(Math.min(end, bytes.length))
      }),
    )
  })

  it('is behind a Close, even one within a message, and nothing else is taken for one', () => {
    fc.assert(
      fc.property(messages, fc.boolean(), (all, isWithin) => {
        const boundary = new FrameBoundary()
        for (const one of all) boundary.follow(one)
        if (isWithin) boundary.follow(frame(TEXT, Buffer.from('he'), true, 0))
        expect([boundary.isBetween, boundary.hasClose]).toEqual([!isWithin, false])
        const close = frame(CLOSE, Buffer.from([3, 232]), true, 0)
        boundary.follow(close.subarray(0, 1))
        expect([boundary.isBetween, boundary.hasClose]).toEqual([false, true])
        boundary.follow(close.subarray(1))
        expect([boundary.isBetween, boundary.hasClose]).toEqual([true, true])
      }),
    )
  })

  it('takes whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), pieces => {
        const boundary = new FrameBoundary()
        for (const piece of pieces) boundary.follow(piece)
        expect(boundary.isBetween).toBeTypeOf('boolean')
      }),
    )
  })
})
