import { describe, expect, test } from 'vitest'
import { TargetGuard } from './target.ts'

describe('a test may send requests', () => {
  test.each(['127.0.0.1', '127.9.8.7', '[::1]', 'localhost'])('to %s', async host => {
    await expect(new TargetGuard(undefined).check(host)).resolves.toBeUndefined()
  })

  test('to a host that the operator has named', async () => {
    await expect(new TargetGuard('Shop.Example').check('shop.example')).resolves.toBeUndefined()
  })

  test.each(['192.0.2.7', '[2001:db8::1]', '0.0.0.0'])('not to %s', async host => {
    await expect(new TargetGuard('192.0.2.8').check(host)).rejects.toThrow('is not this machine')
  })

  test('not to a name without an address', async () => {
    await expect(new TargetGuard(undefined).check('shop.invalid')).rejects.toThrow('has no address')
  })
})

test('a connection is refused when the name has a foreign address by then', async () => {
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  // A literal address needs no name server, and takes the same way.
  new TargetGuard(undefined).lookup('192.0.2.7', { all: true }, resolve)
  expect((await promise)?.message).toContain('no longer this machine')
})
