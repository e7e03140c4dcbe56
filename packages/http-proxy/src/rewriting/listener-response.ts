import type { IncomingMessage } from 'node:http'
import type { HeaderFields } from '@limpet/core'
import { InvalidEditError } from '@limpet/core/adapter'
import type { BackendResponse } from '../exchange/backend-response.ts'
import { checkedFields } from './response-fields.ts'

/** A backend's response for `on.proxyRes`: its `headers` are those for the client. */
export function responseForListener(body: IncomingMessage, fields: HeaderFields): IncomingMessage {
  const headers = { ...fields }
  const hint = body.headers['keep-alive']
  // Node's agent reads it there when the response has ended. It is not for the client.
  if (hint !== undefined)
    Object.defineProperty(headers, 'keep-alive', { value: hint, enumerable: false, writable: true })
  return Object.assign(body, { headers })
}

/**
 * The response with the edits that a listener has made in it.
 * @param fields for the client, before the edits
 * @throws InvalidEditError for an edit that cannot be sent
 */
export function responseOfListener(
  { statusCode, body }: BackendResponse,
  fields: HeaderFields,
): BackendResponse {
  return {
    statusCode: checkedStatus(statusCode, body.statusCode),
    headers: checkedFields(fields, body.headers, 'proxyRes.headers'),
    body,
  }
}

function checkedStatus(before: number, after: unknown): number {
  if (after === before) return before
  const field = 'proxyRes.statusCode'
  if (typeof after !== 'number' || !Number.isInteger(after) || after < 200 || after > 599)
    throw new InvalidEditError(field, 'is no final status, 200 to 599')
  if (isBodiless(before) !== isBodiless(after))
    throw new InvalidEditError(field, 'changes whether the response has a body')
  return after
}

function isBodiless(statusCode: number): boolean {
  return statusCode === 204 || statusCode === 205 || statusCode === 304
}
