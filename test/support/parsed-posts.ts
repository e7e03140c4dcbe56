import { createHash } from 'node:crypto'
import type { Affinity } from '@limpet/core'
import { expect } from 'vitest'
import { expectOwnAnswer } from '../contract/own-answers.ts'
import type { Backend } from './backend.ts'
import { joinedValue } from './header-lines.ts'
import type { BackendResponse } from './http-client.ts'

/** A POST that a body parser has read before limpet. */
interface ParsedPost {
  readonly w1: Backend
  readonly affinity: Affinity
  readonly answer: BackendResponse
}

/** The backend has every byte of `body`, framed by its length. */
export function expectExact({ w1, answer }: ParsedPost, body: string | Buffer): void {
  const bytes = Buffer.from(body)
  expect(answer.status).toBe(200)
  expect(answer.echo).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) })
  expect(joinedValue(w1.last.lines, 'content-length')).toBe(String(bytes.length))
  expect(joinedValue(w1.last.lines, 'transfer-encoding')).toBeUndefined()
}

/** The application got an error, and no backend the request. */
export function expectRefused({ w1, affinity, answer }: ParsedPost): void {
  expectOwnAnswer(answer, 500)
  expect(answer.text).toContain('mount limpet before body parsers, or keep the bytes in request.rawBody')
  expect([w1.connections, affinity.pool.find('w1')?.requests]).toEqual([0, 0])
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
