import { describe, expect, it } from 'vitest'
import { HOP_BY_HOP } from './hop-by-hop.ts'
import { trailerFields } from './trailer-fields.ts'

describe('the trailers that a client gets', () => {
  it('contain only fields that may stand in trailers', () => {
    const trailers = { 'grpc-status': '0', 'server-timing': 'x', digest: 'y', etag: 'z' }
    expect(trailerFields(trailers)).toEqual(trailers)
  })

  it.each([
    ...HOP_BY_HOP,
    'age',
    'authorization',
    'cache-control',
    'content-encoding',
    'content-length',
    'content-range',
    'content-type',
    'expires',
    'host',
    'location',
    'set-cookie',
    'vary',
    'www-authenticate',
  ])('do not have %s, for which it is too late', name => {
    expect(trailerFields({ [name]: 'x', 'grpc-status': '0' })).toEqual({ 'grpc-status': '0' })
  })
})
