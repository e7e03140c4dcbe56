import { OptionError } from '@limpet/core'
import { describe, expect, it } from 'vitest'
import { redisStore, type RedisStoreOptions } from './redis-store.ts'

const url = 'redis://127.0.0.1:6379'

describe('options of the store', () => {
  it.each<[string, object]>([
    ['', {}],
    ['', { url, sentinel: { name: 'a', nodes: [url] } }],
    ['url', { url: 5 }],
    ['url', { url: [] }],
    ['url', { url: '127.0.0.1:6379' }],
    ['url', { url: 'http://127.0.0.1:6379' }],
    ['url', { url: 'redis://127.0.0.1:6379/users' }],
    ['url', { url: 'redis://127.0.0.1:6379/0?db=1' }],
    ['url', { url: 'redis://user:%zz@127.0.0.1' }],
    ['url[1]', { url: [url, 'redis:'] }],
    ['sentinel', { sentinel: 'redis://127.0.0.1' }],
    ['sentinel.name', { sentinel: { nodes: [url] } }],
    ['sentinel.nodes', { sentinel: { name: 'a' } }],
    ['sentinel.nodes', { sentinel: { name: 'a', nodes: [] } }],
    ['sentinel.nodes', { sentinel: { name: 'a', nodes: ['main'] } }],
    ['client', { client: { get: 1 } }],
    ['username', { url, username: 5 }],
    ['password', { url, password: '' }],
    ['tls', { url: 'rediss://127.0.0.1', tls: true }],
    ['tls', { url, tls: {} }],
    ['prefix', { url, prefix: '{shop}' }],
    ['deadline', { url, deadline: 0 }],
    ['deadline', { url, deadline: '50' }],
    ['maxEntries', { url, maxEntries: 0 }],
    ['maxPending', { url, maxPending: 0.5 }],
    ['adress', { adress: url }],
  ])('refuse a wrong %s: %j', (option, options) => {
    expect(() => redisStore(options)).toThrow(expect.objectContaining({ name: OptionError.name, option }))
  })

  it('refuse with all that is wrong, by its path', () => {
    const options = { url: [url, 5, 'x'], maxEntries: 0, tls: true, prefix: '{', deadlin: 1 }
    let problems: readonly { option: string }[] = []
    try {
      redisStore(options as unknown as RedisStoreOptions)
    } catch (error) {
      problems = (error as OptionError).problems
    }
    expect(problems.map(({ option }) => option)).toEqual([
      'deadlin',
      'url[1]',
      'url[2]',
      'tls',
      'prefix',
      'maxEntries',
    ])
  })

  it.each<unknown>([
    'redis://user:top-secret-1@127.0.0.1',
    ['redis://user:top-secret-1@127.0.0.1'],
    { url: 'redis://127.0.0.1', prefix: 'redis://user:top-secret-1@127.0.0.1' },
    { url: 'redis://user:top-secret-1@127.0.0.1:x' },
    { url: 'rediss://user:top-secret-1@127.0.0.1/top' },
    { url, password: ['top-secret-1'] },
    { sentinel: 'redis://user:top-secret-1@127.0.0.1' },
    { client: 'redis://user:top-secret-1@127.0.0.1' },
    { url: 'rediss://127.0.0.1', tls: 'top-secret-1' },
    { sentinel: { name: 'a', nodes: 'redis://user:top-secret-1@127.0.0.1' } },
  ])('never show a password: %j', options => {
    expect(() => redisStore(options as RedisStoreOptions)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('top-secret') as string }),
    )
  })
})
