import { expect, it } from 'vitest'
import { affinityOf } from '../affinity.fixture.ts'

it.each([undefined, '', 1, null])('a pin cannot name the backend %j', backend => {
  expect(() => affinityOf('a').pinToken({ backend: backend as string })).toThrow(
    /option backend got .*; it takes the id of a backend/,
  )
})
