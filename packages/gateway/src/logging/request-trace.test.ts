import { describe, expect, it } from 'vitest'
import { traceOf } from './request-trace.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

describe('the trace of a request', () => {
  it.each([
    `00-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-00`,
    `cc-${TRACE}-${PARENT}-01-what-comes-later`,
  ])('is that of a valid traceparent: %s', traceparent => {
    expect(traceOf({ traceparent })).toEqual({ traceId: TRACE, spanId: undefined })
  })

  it.each([
    ['an unknown version', `ff-${TRACE}-${PARENT}-01`],
    ['parts that version 00 does not have', `00-${TRACE}-${PARENT}-01-more`],
    ['no trace', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['no parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['two fields', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
    ['two fields of a later version', `cc-${TRACE}-${PARENT}-01-x, cc-${TRACE}-${PARENT}-01`],
    ['markup', '<script>'],
    ['nothing', ''],
  ])('is unknown for a traceparent with %s', (_name, traceparent) => {
    expect(traceOf({ traceparent })).toBeUndefined()
  })

  it('is unknown without a traceparent', () => {
    expect(traceOf({})).toBeUndefined()
  })
})
