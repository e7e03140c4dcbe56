/**
 * The name as a backend may see it that puts fields into variables: CGI, WSGI and Rack read `X_User` and `X-User` as
 * the same `HTTP_X_USER` (RFC 3875 §4.1.18), so a client could set a field beside the gateway's.
 * @param lower in lower case
 */
export function foldedName(lower: string): string {
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower
}
