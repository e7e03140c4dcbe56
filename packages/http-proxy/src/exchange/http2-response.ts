/** Whether the client of a response speaks HTTP/2: HTTP/1 has no streams. */
export function isHttp2Response(response: object): boolean {
  return 'stream' in response
}
