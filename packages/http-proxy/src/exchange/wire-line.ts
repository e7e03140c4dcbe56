/**
 * The value of a field as the client sent it, several lines joined. The application cannot edit framing and hop-by-hop
 * fields, so they are read here and not in `headers`.
 */
export function wireLine(rawHeaders: readonly string[], name: string): string | undefined {
  let value: string | undefined
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const line = rawHeaders[index]
    if (line?.length !== name.length || line.toLowerCase() !== name) continue
    value = value === undefined ? rawHeaders[index + 1] : `${value}, ${rawHeaders[index + 1]}`
  }
  return value
}
