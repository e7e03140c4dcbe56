import type { IncomingMessage } from 'node:http'
import { expect } from 'vitest'
import { startBackend } from '../support/backend.ts'
import type { HeaderLines } from '../support/header-lines.ts'
import type { Around } from './harness.ts'
import type { Start } from './start.ts'

export type Edit = (request: IncomingMessage) => void

/** An application with one hook or middleware before limpet. */
export function applicationThat(edit: Edit): Around {
  return {
    enter(request, next) {
      edit(request)
      return next()
    },
    onResponse() {},
    onError() {},
  }
}

/** Authenticates as most gateways do: a field that clients could forge is removed, and the identity is set. */
export const authenticate: Edit = ({ headers }) => {
  delete headers['x-user-id']
  headers['x-gateway-user'] = 'alice'
}

/** Gateways of an adapter behind an application that edits requests. */
export function editing(start: Start) {
  async function pair(edit: Edit) {
    const w1 = await startBackend('w1')
    return { w1, gateway: await start([w1], { around: applicationThat(edit) }) }
  }

  /** The lines that arrive of these, without ours. */
  async function arrived(edit: Edit, lines: readonly string[] = [], method = 'GET'): Promise<HeaderLines> {
    const { w1, gateway } = await pair(edit)
    const head = [`${method} /a?b=1 HTTP/1.1`, 'Host: a', ...lines]
    const { answers } = await gateway.raw(`${head.join('\r\n')}\r\n\r\n`)
    expect(answers.map(({ status }) => status)).toEqual([200])
    return w1.last.lines
  }

  return { pair, arrived }
}
