import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { readForm } from './form-body.ts'

/** A request with this body, as node:http would hand it over. */
function requestOf(body: string, type = 'application/x-www-form-urlencoded'): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  request.headers = { 'content-type': type }
  // In two pieces.
  for (const piece of [body.slice(0, 3), body.slice(3)]) if (piece !== '') request.push(Buffer.from(piece))
  request.push(null)
  return request
}

it.each(['application/x-www-form-urlencoded', 'Application/X-WWW-Form-urlencoded; charset=UTF-8'])(
  'reads a form of type %s',
  async type => {
    const form = await readForm(requestOf('do=drain&value=10%C3%BCm', type), undefined)
    expect([...form]).toEqual([
      ['do', 'drain'],
      ['value', '10üm'],
    ])
  },
)

it.each([
  ['a text', 'do=drain'],
  ['an object', { do: 'drain', list: ['x'], nested: { a: 1 } }],
])('takes %s that a parser has made of the body', async (_, parsed) => {
  expect([...(await readForm(requestOf(''), parsed))]).toEqual([['do', 'drain']])
})

it('refuses other types, and a form of more than 8 KiB', async () => {
  for (const type of ['', 'text/plain', 'multipart/form-data', 'application/x-www-form-urlencodedx'])
    await expect(readForm(requestOf('do=drain', type), undefined)).rejects.toMatchObject({ statusCode: 415 })
  await expect(readForm(requestOf('x'.repeat(8_193)), undefined)).rejects.toMatchObject({ statusCode: 413 })
  expect([...(await readForm(requestOf('x'.repeat(8_192)), undefined))]).toHaveLength(1)
})
