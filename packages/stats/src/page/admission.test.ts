import { type IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { admitted } from './admission.ts'

function requestOf(headers: IncomingHttpHeaders, remoteAddress: string): IncomingMessage {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress })
  return Object.assign(new IncomingMessage(socket), { headers })
}

it.each([
  ['127.0.0.1', 'localhost:3000'],
  ['127.9.9.9', '127.0.0.1'],
  ['::ffff:127.0.0.1', 'LOCALHOST'],
  ['::1', '[::1]:80'],
])('admits a request from %s for %s without the option', async (address, host) => {
  expect(await admitted(requestOf({ host }, address), undefined)).toBe('')
})

it.each<[string, IncomingHttpHeaders, string]>([
  ['of another machine', { host: 'localhost' }, '10.0.0.1'],
  ['by another name', { host: 'evil.test' }, '127.0.0.1'],
  ['by a name that begins so', { host: 'localhost.evil.test' }, '127.0.0.1'],
  ['without Host', {}, '127.0.0.1'],
  ['that a proxy has forwarded', { host: 'localhost', 'x-forwarded-for': '1.2.3.4' }, '127.0.0.1'],
  ['with Via', { host: 'localhost', via: '1.1 a' }, '127.0.0.1'],
])('refuses a request %s without the option', async (_, headers, address) => {
  await expect(admitted(requestOf(headers, address), undefined)).rejects.toMatchObject({ statusCode: 403 })
})

it('leaves the decision to the option', async () => {
  const request = requestOf({ host: 'evil.test', authorization: 'Basic x' }, '10.0.0.1')
  expect(await admitted(request, () => true)).toBe('Basic x')
  expect(await admitted(request, async () => 'eva')).toBe('eva')
  await expect(admitted(request, () => false)).rejects.toMatchObject({ statusCode: 403 })
})
