import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { responseForListener, responseOfListener } from './listener-response.ts'

const FIELDS = { 'x-a': '1', 'content-length': '3' }

/** The response of a listener that has edited the one that it got. */
function edited(edit: (response: IncomingMessage) => void, statusCode = 200) {
  const body = Object.assign(new IncomingMessage(new Socket()), { statusCode })
  body.headers = { 'keep-alive': 'timeout=5', connection: 'keep-alive' }
  const shown = responseForListener(body, FIELDS)
  edit(shown)
  return responseOfListener({ statusCode, headers: FIELDS, body }, FIELDS)
}

it('shows a listener the fields for the client, and the hint of the backend to Node alone', () => {
  edited(({ headers }) => {
    expect(Object.keys(headers)).toEqual(['x-a', 'content-length'])
    expect(headers['keep-alive']).toBe('timeout=5')
  })
})

it('takes its edits of fields and status', () => {
  expect(
    edited(response => {
      response.statusCode = 418
      response.headers['X-B'] = '2'
      delete response.headers['x-a']
    }),
  ).toMatchObject({ statusCode: 418, headers: { 'x-b': '2', 'content-length': '3' } })
  expect(edited(() => undefined).headers).toEqual(FIELDS)
})

it.each([
  [200, 204, 'changes whether the response has a body'],
  [304, 200, 'changes whether the response has a body'],
  [200, 101, 'is no final status'],
  [200, 600, 'is no final status'],
  [200, '200', 'is no final status'],
])('refuses to make of %d the status %j', (before, after, message) => {
  expect(() => edited(response => Object.assign(response, { statusCode: after }), before)).toThrow(message)
})
