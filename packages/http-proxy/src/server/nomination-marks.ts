import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { HeaderFields } from '@limpet/core'
import { markNominations } from '@limpet/core/adapter'

/** Node publishes each request of its HTTP/1 servers here, before any listener of the application has it. */
const REQUEST_START = 'http.server.request.start'

/**
 * Marks in each request the fields that its Connection nominates, so that core can tell a field that the application
 * has set to the client's own value. HTTP/2 has no Connection (RFC 9113 §8.2.2), and Node does not publish upgrades.
 * @returns the function that ends it
 */
export function watchNominations(): () => void {
  subscribe(REQUEST_START, onStart)
  return () => void unsubscribe(REQUEST_START, onStart)
}

function onStart(message: unknown): void {
  markNominations((message as { readonly request: { readonly headers: HeaderFields } }).request.headers)
}
