import { type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http'
import type { HeaderFields } from '@limpet/core'
import { trailerFields } from '@limpet/core/adapter'
import { isHttp2Response } from './http2-response.ts'

/** Adds the trailers of a backend's response to that of the client. */
export function addTrailers(response: ServerResponse, trailers: Readonly<HeaderFields>): void {
  const fields = trailerFields(trailers, isHttp2Response(response))
  const lines = Object.entries(fields).filter(([name, value]) => isWritable(name, value))
  if (lines.length > 0) response.addTrailers(Object.fromEntries(lines) as Record<string, string>)
}

/** Node throws for an invalid field, and an invalid trailer must not fail the response. */
function isWritable(name: string, value: string | string[] | undefined): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, String(value))
    return true
  } catch {
    return false
  }
}
