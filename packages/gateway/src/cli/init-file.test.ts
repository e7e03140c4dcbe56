import { expect, it } from 'vitest'
import { read, SECRET } from '../config/config-file.fixture.ts'
import { type InitAnswers, initFile, METHODS } from './init-file.ts'

const ANSWERS: InitAnswers = {
  listen: '0.0.0.0:8080',
  backends: [
    { id: 's1', url: 'http://127.0.0.1:3001' },
    { id: 's2', url: "unix:/run/eva's.sock" },
  ],
  method: 'cookie',
  cookie: 'sid',
  health: "/it's/up",
}

/** The file as the gateway reads it, with a secret in its place. */
function configOf(answers: Partial<InitAnswers>) {
  return read(initFile({ ...ANSWERS, ...answers }).replace("'env:LIMPET_SECRET'", SECRET))
}

it.each(METHODS)('writes a file that the gateway takes, for the method %s', method => {
  const { listen, pools } = configOf({ method })
  expect([listen.host, listen.port]).toEqual(['0.0.0.0', 8080])
  expect(pools[0]?.options.backends?.map(({ id }) => id)).toEqual(['s1', 's2'])
})

it('writes only the answers', () => {
  const [cookie, learn, address, none] = METHODS.map(method => initFile({ ...ANSWERS, method }))
  expect(cookie).toContain("secrets: ['env:LIMPET_SECRET']")
  expect(learn).toContain('learn: { cookie: sid, ttl: 1h }')
  expect(address).toContain('balance: { hash: ip }')
  expect(none).toContain('balance: least-requests')
  for (const text of [learn, address, none]) expect(text).not.toContain('secrets:')
  expect(configOf({}).pools[0]?.options.health).toMatchObject({ path: "/it's/up" })
  expect(configOf({ health: undefined }).pools[0]?.options.health).toBeUndefined()
})
