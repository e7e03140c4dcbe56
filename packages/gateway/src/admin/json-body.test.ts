import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { readJson } from './json-body.ts'

function requestOf(body: string): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  const bytes = Buffer.from(body)
  // In two pieces, which may divide a character.
  for (const piece of [bytes.subarray(0, 7), bytes.subarray(7)]) if (piece.length > 0) request.push(piece)
  request.push(null)
  return request
}

it('reads an object', async () => {
  expect(await readJson(requestOf('{"a":"é","b":[1]}'))).toEqual({ a: 'é', b: [1] })
})

it.each([
  ['', 400, 'the body is not JSON'],
  ['{', 400, 'the body is not JSON'],
  ['[]', 400, 'the body has to be a JSON object'],
  ['null', 400, 'the body has to be a JSON object'],
  ['"a"', 400, 'the body has to be a JSON object'],
  [`{"a":"${'x'.repeat(65_536)}"}`, 413, 'the body has more than 65536 bytes'],
])('refuses another body', async (body, statusCode, message) => {
  await expect(readJson(requestOf(body))).rejects.toMatchObject({ statusCode, message })
})
